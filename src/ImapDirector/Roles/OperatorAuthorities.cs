using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Https;
using Microsoft.Extensions.Logging;

namespace ImapDirector.Roles;

/// <summary>Sees to it that nobody is an operator for having a user's certificate.</summary>
internal static partial class OperatorAuthorities
{
    /// <summary>Looks whether an authority that signs operators' certificates signs users' too.</summary>
    /// <param name="operators">Whose certificate gives orders.</param>
    /// <param name="theirs">What HTTPS shows, and asks for.</param>
    /// <param name="users">Likewise of IMAP.</param>
    /// <param name="logger">Where it is told.</param>
    /// <exception cref="ConfigurationException">Each user would be an operator.</exception>
    public static void Check(IReadOnlyList<string> operators, ServerCertificate theirs, ServerCertificate users, ILogger logger)
    {
        if (operators.Count == 0 || !theirs.SharesAuthoritiesWith(users)) return;
        if (operators.Contains(HttpsOptions.Anybody))
            throw new ConfigurationException($"Https:Operators is \"{HttpsOptions.Anybody}\" while an authority stands both in Https:ClientCertificates:AuthorityFile and in ClientCertificates:AuthorityFile, so that each user with a certificate would give orders: name the operators, or have an authority that signs for them alone.");
        Log.Shared(logger);
    }

    private static partial class Log
    {
        [LoggerMessage(14, LogLevel.Warning, "An authority stands both in Https:ClientCertificates:AuthorityFile and in ClientCertificates:AuthorityFile: a user whose certificate has one of the names in Https:Operators gives orders. Have an authority that signs for operators alone")]
        public static partial void Shared(ILogger logger);
    }
}
