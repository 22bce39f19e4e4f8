using ImapDirector.Network;
using ImapDirector.Network.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace ImapDirector.Operations.Https;

/// <summary>Who is at the other end of a connection with TLS.</summary>
/// <param name="since">When it began, of <see cref="Environment.TickCount64"/>.</param>
/// <param name="place">Its place among all.</param>
internal sealed class HttpsCaller(long since, ConnectionLimits.Permit place)
{
    private static readonly object Key = typeof(HttpsCaller);

    /// <summary>What the certificate says that was shown; the default without one.</summary>
    public ClientIdentity Identity { get; set; }

    /// <summary>The name in it where it counts.</summary>
    public string? Name => Identity.IsVerified ? Identity.User : null;

    /// <summary>How long it has been connected.</summary>
    public TimeSpan Age => TimeSpan.FromMilliseconds(Environment.TickCount64 - since);

    /// <summary>What the handshake uses, until it ends.</summary>
    public IDisposable? Use { get; set; }

    /// <summary>The handshake is over, and a certificate that counts may have been shown in it.</summary>
    public void EndHandshake()
    {
        Use?.Dispose();
        Use = null;
        if (Identity.IsVerified) Trust();
    }

    /// <summary>It is no stranger's any more: it counts for no address, and is not asked to make room.</summary>
    public void Trust() => place.Authenticated();

    /// <summary>That of a connection.</summary>
    public static HttpsCaller Of(BaseConnectionContext connection) => (HttpsCaller)connection.Items[Key]!;

    /// <summary>That of a request; <c>null</c> where it came without TLS.</summary>
    public static HttpsCaller? Of(HttpContext context) => context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var caller) == true ? (HttpsCaller?)caller : null;

    /// <summary>Keeps it with its connection.</summary>
    public void StayWith(IDictionary<object, object?> items) => items[Key] = this;

    /// <summary>Whether its certificate is one of an operator's, who has a name: it is in the log of orders.</summary>
    /// <param name="operators">As of <see cref="HttpsOptions.Operators"/>.</param>
    public bool IsOneOf(IReadOnlyList<string> operators) =>
        Identity is { IsVerified: true, User: not null } && operators.Any(name => name == HttpsOptions.Anybody || string.Equals(name, Identity.User, StringComparison.Ordinal));
}
