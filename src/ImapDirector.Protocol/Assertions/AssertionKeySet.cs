using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;

namespace ImapDirector.Protocol.Assertions;

/// <summary>Public keys whose owners a node believes. Immutable; keys are rotated by taking another set.</summary>
public sealed class AssertionKeySet
{
    /// <summary>The most keys in a set: a director and its next key each, and some room.</summary>
    public const int MaxKeys = 256;

    private readonly FrozenDictionary<string, Key> _keys;

    private AssertionKeySet(Dictionary<string, Key> keys) => _keys = keys.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>How many keys there are.</summary>
    public int Count => _keys.Count;

    /// <summary>Reads PEM texts, each with one or more P-256 public keys (<c>BEGIN PUBLIC KEY</c>).</summary>
    /// <exception cref="InvalidDataException">One has something else in it; the message says what, as the end of a sentence.</exception>
    public static AssertionKeySet Parse(IEnumerable<string> pemTexts)
    {
        var keys = new Dictionary<string, Key>(StringComparer.Ordinal);
        foreach (var text in pemTexts)
        {
            var rest = text.AsSpan();
            var found = 0;
            while (PemEncoding.TryFind(rest, out var fields))
            {
                if (rest[fields.Label] is not "PUBLIC KEY")
                    throw new InvalidDataException(rest[fields.Label].EndsWith("PRIVATE KEY", StringComparison.Ordinal)
                        ? "holds a private key, which belongs on the director alone" : "holds something else than public keys");
                var (id, key) = Import(rest[fields.Location]);
                keys[id] = key;
                rest = rest[fields.Location.End..];
                found++;
            }
            if (found == 0) throw new InvalidDataException("holds no public key as PEM");
            if (keys.Count > MaxKeys) throw new InvalidDataException($"makes more than {MaxKeys} keys");
        }
        return new AssertionKeySet(keys);
    }

    /// <summary>How a key is called: the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).</summary>
    internal static string IdOf(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()).AsSpan(0, 8));

    /// <summary>Whether a key is on the curve that ES256 is defined for (RFC 7518 section 3.4).</summary>
    internal static bool IsP256(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value;

    /// <returns><c>null</c> when there is no such key.</returns>
    internal bool? Verify(string keyId, ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature) =>
        _keys.TryGetValue(keyId, out var key) ? key.Verify(signed, signature) : null;

    private static (string Id, Key Key) Import(ReadOnlySpan<char> pem)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException("holds a key that is not of an elliptic curve, or is damaged");
        }
        if (!IsP256(key)) throw new InvalidDataException("holds a key of another curve than P-256");
        return (IdOf(key), new Key(key.ExportParameters(includePrivateParameters: false)));
    }

    /// <summary>One key. An <see cref="ECDsa"/> is one thread's at a time, so there is one for each that verifies at this moment.</summary>
    private sealed class Key(ECParameters parameters)
    {
        private readonly ConcurrentBag<ECDsa> _idle = [];

        public bool Verify(ReadOnlySpan<byte> signed, ReadOnlySpan<byte> signature)
        {
            if (!_idle.TryTake(out var key)) key = ECDsa.Create(parameters);
            var isGood = key.VerifyData(signed, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            _idle.Add(key);
            return isGood;
        }
    }
}
