using ImapDirector.Director.Authentication;
using ImapDirector.Network;
using ImapDirector.Network.Tls;

namespace ImapDirector.Director.Login;

/// <summary>Which mechanisms a connection is offered: those of the settings that can work on it.</summary>
internal sealed class MechanismOffer(DirectorOptions options)
{
    /// <summary>Behind the name of a mechanism with channel binding.</summary>
    public const string Plus = "-PLUS";

    private readonly IReadOnlyList<string> _mechanisms = options.Authentication.Mechanisms;

    /// <summary>Whether a mechanism is offered on this connection.</summary>
    public bool Includes(string mechanism, Connection client) => _mechanisms.Contains(mechanism) && mechanism switch
    {
        "EXTERNAL" => CertificateLogin.TryName(client, options.DefaultDomain, out _),
        _ => !mechanism.EndsWith(Plus, StringComparison.Ordinal) || CanBind(client),
    };

    /// <summary>Whether one with channel binding is: a client can see by any of them that there is binding here.</summary>
    public bool IncludesBinding(Connection client) => _mechanisms.Any(static mechanism => mechanism.EndsWith(Plus, StringComparison.Ordinal)) && CanBind(client);

    /// <summary>Whether the command LOGIN is: it is PLAIN in other words.</summary>
    public bool IncludesLogin => _mechanisms.Contains("PLAIN");

    /// <summary>The capabilities that say so, each behind a space.</summary>
    public string TextFor(Connection client) => string.Concat(_mechanisms.Where(mechanism => Includes(mechanism, client)).Select(static mechanism => $" AUTH={mechanism}"))
        + (IncludesLogin ? "" : " LOGINDISABLED");

    private static bool CanBind(Connection client) => client.Binding(TlsBinding.ServerEndPoint) is not null || client.Binding(TlsBinding.Exporter) is not null;
}
