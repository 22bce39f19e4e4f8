using System.Net;
using ImapDirector.Operations.Https;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Operations.Api;

/// <summary>A line for each change that was made over the API: who, what, before, after. No secret is ever handed to it.</summary>
internal sealed partial class AuditLog(ILogger logger)
{
    /// <summary>The header in which whoever shows the token says who it is. It proves nothing.</summary>
    public const string OperatorHeader = "X-Operator";

    public void Note(HttpContext context, string what, string before, string after)
    {
        if (HttpsCaller.Of(context)?.Name is { } certified) Log.ChangedWithCertificate(logger, Shown(certified), context.Connection.RemoteIpAddress, what, Shown(before), Shown(after));
        else Log.Changed(logger, context.Request.Headers[OperatorHeader] is [{ Length: > 0 } name] ? Shown(name) : "somebody", context.Connection.RemoteIpAddress, what, Shown(before), Shown(after));
    }

    private static partial class Log
    {
        [LoggerMessage(4301, LogLevel.Information, "API: {Who} at {Peer} has ordered: {What}; before: {Before}; after: {After}")]
        public static partial void Changed(ILogger logger, string who, IPAddress? peer, string what, string before, string after);

        [LoggerMessage(4304, LogLevel.Information, "API: the certificate of {Who} at {Peer} has ordered: {What}; before: {Before}; after: {After}")]
        public static partial void ChangedWithCertificate(ILogger logger, string who, IPAddress? peer, string what, string before, string after);
    }
}
