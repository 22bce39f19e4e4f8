using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace ImapDirector.Operations.Api;

/// <summary>Describes routes as OpenAPI 3.1 does.</summary>
internal static partial class OpenApiDocument
{
    public static byte[] Of(IEnumerable<ApiRoute> routes)
    {
        var (paths, schemas) = (new JsonObject(), new JsonObject());
        foreach (var route in routes)
        {
            var path = ApiGate.Prefix + route.Path;
            if (paths[path] is not JsonObject item) paths[path] = item = [];
            item[route.Method.ToLowerInvariant()] = Operation(route, schemas);
        }
        return Encoding.UTF8.GetBytes(new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "ImapDirector", ["version"] = "1", ["description"] = "What operators order of a cluster of directors. Any director will do." },
            ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject { ["token"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" } },
            },
        }.ToJsonString());
    }

    private static JsonObject Operation(ApiRoute route, JsonObject schemas)
    {
        var parameters = new JsonArray();
        foreach (Match name in PathParameters().Matches(route.Path)) parameters.Add(Parameter(name.Groups[1].Value, "path", null));
        foreach (var (name, meaning) in route.Query) parameters.Add(Parameter(name, "query", meaning));
        var success = new JsonObject { ["description"] = "Done." };
        if (route.Answer is { } answer) success["content"] = Content(route.IsLines && route.Body is null ? ApiRoute.Lines : "application/json", answer, schemas);
        var operation = new JsonObject
        {
            ["summary"] = route.Summary,
            ["parameters"] = parameters,
            ["responses"] = new JsonObject
            {
                [$"{route.Status}"] = success,
                ["default"] = new JsonObject { ["description"] = "Why not.", ["content"] = Content(ApiProblem.MediaType, ApiJson.Default.ApiProblem, schemas) },
            },
        };
        if (route.Body is { } body) operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(route.IsLines ? ApiRoute.Lines : "application/json", body, schemas) };
        return operation;
    }

    private static JsonObject Parameter(string name, string place, string? meaning)
    {
        var parameter = new JsonObject { ["name"] = name, ["in"] = place, ["required"] = place == "path", ["schema"] = new JsonObject { ["type"] = "string" } };
        if (meaning is not null) parameter["description"] = meaning;
        return parameter;
    }

    private static JsonObject Content(string mediaType, JsonTypeInfo type, JsonObject schemas)
    {
        var name = type.Type.IsGenericType ? "Fields" : type.Type.Name;
        if (!schemas.ContainsKey(name)) schemas[name] = type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true });
        return new JsonObject { [mediaType] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } } };
    }

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex PathParameters();
}
