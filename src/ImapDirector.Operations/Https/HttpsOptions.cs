using System.Net;
using ImapDirector.Network.Tls;

namespace ImapDirector.Operations.Https;

/// <summary>HTTPS, beside HTTP.</summary>
/// <param name="EndPoint">Where it listens; port 0 takes a free one.</param>
/// <param name="Certificate">What is shown there, and which certificates of those who connect count.</param>
/// <param name="Operators">Whose certificate does what the token of the API does: names as certificates have them, or <see cref="Anybody"/>; at most 256.</param>
public sealed record HttpsOptions(IPEndPoint EndPoint, ServerCertificate Certificate, IReadOnlyList<string> Operators)
{
    /// <summary>Among <see cref="Operators"/>: whoever has a certificate that counts.</summary>
    public const string Anybody = "*";
}
