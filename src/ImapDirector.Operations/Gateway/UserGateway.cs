using ImapDirector.Director;
using ImapDirector.Director.Directory;
using ImapDirector.Operations.Api;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Gateway;

/// <summary><c>/users/{user}/…</c>: the pages of the node that holds a user's mail. Who has mail here is nobody's business without the token, so they are behind the API's gate.</summary>
internal sealed class UserGateway(DirectorServer director)
{
    /// <summary>What the paths begin with.</summary>
    public const string Prefix = "/users";

    /// <summary>Finds the node, and lets its own path be served.</summary>
    public async Task PassAsync(HttpContext context, RequestDelegate next)
    {
        if (!context.Request.Path.StartsWithSegments(Prefix, out var rest) || rest.Value?.Split('/') is not ["", { Length: > 0 } name, { Length: > 0 } page])
        {
            await ApiAnswer.WriteAsync(context, ApiGate.NotFound);
            return;
        }
        if (director.NameOf(name) is not { } user)
        {
            await ApiAnswer.WriteAsync(context, UserEndpoints.InvalidName);
            return;
        }
        switch (await director.Map.FindAsync(user, context.RequestAborted))
        {
            case (false, _):
                await ApiAnswer.WriteAsync(context, ApiProblem.Unavailable());
                break;
            case (_, null):
                await ApiAnswer.WriteAsync(context, ApiProblem.Of(StatusCodes.Status404NotFound, "no_such_user", $"No node holds mail of {user}."));
                break;
            case (_, { } assignment) when director.Nodes.Find(assignment.Node) is not null:
                // A node's name has the alphabet of a path, and one of the registry is nothing else.
                context.Request.Path = $"/nodes/{assignment.Node}/{page}";
                await next(context);
                break;
            case (_, { } lost):
                await ApiAnswer.WriteAsync(context, ApiProblem.Of(StatusCodes.Status404NotFound, "no_such_node", $"The mail of {user} is on a node that is not there: {Network.SettingRules.Shown(lost.Node)}."));
                break;
        }
    }
}
