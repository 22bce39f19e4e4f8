using System.Buffers.Text;
using System.Security.Cryptography;

namespace ImapDirector.Protocol.Assertions;

/// <summary>A director's private key: it makes tokens (compact JWS, ES256, RFC 7515 section 7.1).</summary>
public sealed class AssertionSigner : IDisposable
{
    private readonly Lock _turn = new();
    private readonly ECDsa _key;
    private readonly string _header;

    private AssertionSigner(ECDsa key)
    {
        _key = key;
        KeyId = AssertionKeySet.IdOf(key);
        _header = Base64Url.EncodeToString(AssertionFormat.WriteHeader(KeyId));
    }

    /// <summary>The key's id, as nodes know it: 16 hexadecimal digits.</summary>
    public string KeyId { get; }

    /// <summary>A new key.</summary>
    public static AssertionSigner Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Reads a P-256 private key (PKCS#8 or SEC 1, not encrypted).</summary>
    /// <exception cref="InvalidDataException">It is none; the message says what it is, as the end of a sentence, and quotes nothing of it.</exception>
    public static AssertionSigner Parse(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (!AssertionKeySet.IsP256(key)) throw new InvalidDataException("holds a key of another curve than P-256");
            if (!HasPrivateKey(key)) throw new InvalidDataException("holds no private key");
            return new AssertionSigner(key);
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            key.Dispose();
            // The exception may quote the key: it is not passed on.
            throw new InvalidDataException("holds no unencrypted private key of an elliptic curve as PEM");
        }
        catch (InvalidDataException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>The private key as PEM (PKCS#8).</summary>
    public string ExportPrivatePem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>The public key as PEM, for nodes.</summary>
    public string ExportPublicPem() => _key.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <summary>Makes the token.</summary>
    /// <exception cref="ArgumentException">A claim is not of its form.</exception>
    public string Sign(Assertion assertion)
    {
        var signed = $"{_header}.{Base64Url.EncodeToString(AssertionFormat.WriteClaims(assertion))}";
        byte[] signature;
        // An ECDsa is one thread's at a time; a signature takes some 30 µs (docs/decisions).
        lock (_turn) signature = _key.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <inheritdoc />
    public void Dispose() => _key.Dispose();

    private static bool HasPrivateKey(ECDsa key)
    {
        try
        {
            _ = key.SignHash(stackalloc byte[SHA256.HashSizeInBytes], DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
