using System.Net;
using ImapDirector.Director;
using ImapDirector.Operations.Api;
using ImapDirector.Operations.Health;
using ImapDirector.Operations.Https;
using ImapDirector.Storage;

namespace ImapDirector.Operations;

/// <summary>The settings of the HTTP side: metrics, health and the gateway to the nodes.</summary>
public sealed record OperationsOptions
{
    /// <summary>Where HTTP listens; port 0 takes a free one.</summary>
    public required IPEndPoint Http { get; init; }

    /// <summary>Whether <see cref="Http"/> may be an address that other machines reach. There is no authentication: guard it with a firewall.</summary>
    public bool AllowRemoteHttp { get; init; }

    /// <summary>HTTPS besides; <c>null</c> for none. It may be reached from other machines where it wants certificates of those who connect, or <see cref="AllowRemoteHttp"/> is set.</summary>
    public HttpsOptions? Https { get; init; }

    /// <summary>What <c>/readyz</c> asks. With none it is always ready.</summary>
    public IReadOnlyList<NamedCheck> Checks { get; init; } = [];

    /// <summary>The HTTP address of each node the gateway reaches as <c>/nodes/{name}/…</c>, such as <c>http://10.0.0.7:1180</c>.</summary>
    public IReadOnlyDictionary<string, Uri> Nodes { get; init; } = new Dictionary<string, Uri>();

    /// <summary>The director that operators give orders to, over <c>/api/v1</c>; <c>null</c> on a node.</summary>
    public DirectorServer? Director { get; init; }

    /// <summary>What they have to show; <c>null</c>: nobody gives orders here but <see cref="HttpsOptions.Operators"/>.</summary>
    public ApiToken? ApiToken { get; init; }

    /// <summary>The node that directors give orders to, over <c>/api/v1</c>; <c>null</c> on a director. Without <see cref="StorageNodeOptions.AssertionKeys"/> it takes none.</summary>
    public StorageNode? Node { get; init; }

    /// <summary>How often each node's <c>/readyz</c> is asked, to be shown with the node; zero for never.</summary>
    public TimeSpan NodeProbeInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How old a connection with TLS becomes.</summary>
    internal TimeSpan HttpsConnectionLife { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Checks every setting against its bounds.</summary>
    /// <returns>One sentence for each error, naming the key, the value and the fix, and never a secret; empty when all is well.</returns>
    public IReadOnlyList<string> Validate() => OperationsOptionsRules.Check(this);
}
