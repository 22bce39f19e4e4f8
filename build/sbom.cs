#:property PublishAot=false
// Writes what the product is made of, as CycloneDX 1.6, out of its lock file: dotnet run --file build/sbom.cs -- LOCKFILE NAME VERSION OUTPUT
// Targets of one platform only repeat what all have. The same lock file gives the same bytes.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

if (args is not [var lockFile, var name, var version, var output])
{
    Console.Error.WriteLine("Usage: dotnet run --file build/sbom.cs -- LOCKFILE NAME VERSION OUTPUT");
    return 2;
}
var target = JsonNode.Parse(File.ReadAllText(lockFile))!["dependencies"]!.AsObject().Single(static target => !target.Key.Contains('/')).Value!.AsObject();
var ids = target.ToDictionary(static item => item.Key, item => IdOf(item.Key, item.Value!), StringComparer.OrdinalIgnoreCase);
var root = $"pkg:generic/{name}@{version}";
var components = new JsonArray();
var dependencies = new JsonArray { Needs(root, target.Where(static item => TypeOf(item.Value!) is "Direct" or "Project").Select(item => ids[item.Key])) };
foreach (var (package, facts) in target.OrderBy(static item => item.Key, StringComparer.Ordinal))
{
    var component = new JsonObject { ["type"] = "library", ["bom-ref"] = ids[package], ["name"] = package, ["version"] = VersionOf(facts!) };
    if (TypeOf(facts!) != "Project") component["purl"] = ids[package];
    if (facts!["contentHash"]?.GetValue<string>() is { } hash)
        component["hashes"] = new JsonArray { new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(hash)) } };
    components.Add(component);
    var needed = facts["dependencies"]?.AsObject().Select(static item => item.Key) ?? [];
    // What the framework brings itself is in no lock file.
    dependencies.Add(Needs(ids[package], needed.Where(ids.ContainsKey).Select(item => ids[item])));
}
var bom = new JsonObject
{
    ["bomFormat"] = "CycloneDX",
    ["specVersion"] = "1.6",
    ["version"] = 1,
    ["metadata"] = new JsonObject { ["component"] = new JsonObject { ["type"] = "application", ["bom-ref"] = root, ["name"] = name, ["version"] = version } },
    ["components"] = components,
    ["dependencies"] = dependencies,
};
File.WriteAllText(output, bom.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
return 0;

static string TypeOf(JsonNode facts) => facts["type"]!.GetValue<string>();

string VersionOf(JsonNode facts) => facts["resolved"]?.GetValue<string>() ?? version;

string IdOf(string package, JsonNode facts) => TypeOf(facts) == "Project" ? $"pkg:generic/{package}@{version}" : $"pkg:nuget/{package}@{VersionOf(facts)}";

static JsonObject Needs(string who, IEnumerable<string> whom) =>
    new() { ["ref"] = who, ["dependsOn"] = new JsonArray([.. whom.Order(StringComparer.Ordinal).Select(static id => (JsonNode)id)]) };
