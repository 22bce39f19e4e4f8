using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Protocol.Assertions;

/// <summary>What a director orders a node to fetch. It goes beside the assertion, in fields that nobody has signed: so their digest is the assertion's session id.</summary>
/// <param name="Source">The address of the node that has the user, as it is written in the request.</param>
/// <param name="Manifest">The SHA-256 of that node's manifest, which has the digest of each file: 64 small hexadecimal digits.</param>
/// <param name="Assertion">What opens the transfer there.</param>
public readonly record struct ReceiveOrder(string Source, string Manifest, string Assertion)
{
    /// <summary>Whether a text has the form of <see cref="Manifest"/>.</summary>
    public static bool IsDigest(string text) => text.Length == 2 * SHA256.HashSizeInBytes && text.All(char.IsAsciiHexDigitLower);

    /// <summary>The session id (<c>sid</c>) of the assertion that orders just this: <c>receive.</c> and 43 characters of base64url.</summary>
    public string SessionId =>
        // No field of a request has a line's end in it.
        "receive." + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{Source}\n{Manifest}\n{Assertion}")));
}
