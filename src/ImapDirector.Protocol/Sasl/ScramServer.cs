using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ImapDirector.Protocol.Sasl;

/// <summary>The server's side of one SCRAM exchange (RFC 5802, RFC 7677), from the client's first message on. Pure: who the user is, and what the TLS
/// channel is bound by, is handed in.</summary>
public sealed class ScramServer
{
    private const int NonceBytes = 18;

    private readonly ScramClientFirst _first;
    private readonly ScramVerifier _verifier;
    private readonly byte[] _binding;
    private readonly string _nonce;

    /// <param name="first">The client's first message.</param>
    /// <param name="verifier">The user's, or one that nobody has the password of.</param>
    /// <param name="binding">The channel binding's data where the client uses it, else empty.</param>
    public ScramServer(ScramClientFirst first, ScramVerifier verifier, ReadOnlySpan<byte> binding)
        : this(first, verifier, binding, Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes)))
    {
    }

    /// <summary>As above, with the server's part of the nonce.</summary>
    internal ScramServer(ScramClientFirst first, ScramVerifier verifier, ReadOnlySpan<byte> binding, string nonce)
    {
        (_first, _verifier, _nonce) = (first, verifier, first.Nonce + nonce);
        _binding = [.. first.Header, .. binding];
        FirstMessage = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"r={_nonce},s={Convert.ToBase64String(verifier.Salt)},i={verifier.Iterations}"));
    }

    /// <summary>What the client is to be sent first.</summary>
    public byte[] FirstMessage { get; }

    /// <summary>Verifies the client's final message.</summary>
    /// <param name="final">The message.</param>
    /// <param name="answer">The server's own proof, when the client's is right.</param>
    public ScramOutcome Finish(ReadOnlySpan<byte> final, out byte[] answer)
    {
        answer = [];
        var proofAt = final.LastIndexOf(",p="u8);
        if (proofAt < 0 || !final.StartsWith("c="u8)) return ScramOutcome.Malformed;
        var bindingEnd = final.IndexOf((byte)',');
        var rest = final[(bindingEnd + 1)..];
        if (bindingEnd >= proofAt || !rest.StartsWith("r="u8)) return ScramOutcome.Malformed;
        var nonceEnd = rest.IndexOf((byte)',');
        if (!TryDecode(final[2..bindingEnd], out var binding) || !TryDecode(final[(proofAt + 3)..], out var proof) || proof.Length != ScramVerifier.SizeOf(_verifier.Hash))
            return ScramOutcome.Malformed;
        if (!rest[2..nonceEnd].SequenceEqual(Encoding.ASCII.GetBytes(_nonce))) return ScramOutcome.Malformed;

        byte[] message = [.. _first.Bare, (byte)',', .. FirstMessage, (byte)',', .. final[..proofAt]];
        var signature = ScramVerifier.Hmac(_verifier.Hash, _verifier.StoredKey, message);
        for (var i = 0; i < signature.Length; i++) signature[i] ^= proof[i];
        var isRight = CryptographicOperations.FixedTimeEquals(ScramVerifier.Digest(_verifier.Hash, signature), _verifier.StoredKey);
        CryptographicOperations.ZeroMemory(signature);
        // Somebody between the client and us has another channel to each.
        if (!CryptographicOperations.FixedTimeEquals(binding, _binding)) return ScramOutcome.OtherChannel;
        if (!isRight) return ScramOutcome.WrongProof;
        answer = Encoding.ASCII.GetBytes("v=" + Convert.ToBase64String(ScramVerifier.Hmac(_verifier.Hash, _verifier.ServerKey, message)));
        return ScramOutcome.Verified;
    }

    private static bool TryDecode(ReadOnlySpan<byte> base64, out byte[] bytes)
    {
        var copy = base64.ToArray();
        var isDecoded = SaslCredentials.TryDecode(copy, out var decoded);
        bytes = decoded.ToArray();
        return isDecoded && base64 is not [(byte)'='];
    }
}

/// <summary>What a client's final message was.</summary>
public enum ScramOutcome
{
    /// <summary>The client has the password.</summary>
    Verified,
    /// <summary>It has not.</summary>
    WrongProof,
    /// <summary>It is bound to another TLS channel than this one.</summary>
    OtherChannel,
    /// <summary>It is no such message, or none of this exchange.</summary>
    Malformed,
}
