using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>What an authority says of a certificate's being good (OCSP, RFC 6960), for handshakes to show with it (RFC 6066, section 8). Clients check its signature; here is
/// looked at whether it says the right thing of the right certificate, and until when.</summary>
/// <param name="Encoded">The OCSPResponse, DER.</param>
/// <param name="Expires">What it says of when there will be a newer one; it is shown until then.</param>
internal sealed record OcspStaple(byte[] Encoded, DateTimeOffset Expires)
{
    /// <summary>The longest that is shown, in bytes: one is some hundred, with the responder's certificate a few thousand, and it is sent in each handshake that asks for it.
    /// OpenSSL's clients give up a handshake of TLS 1.2 with one above 16380.</summary>
    public const int MostBytes = 16_000;

    private const string Basic = "1.3.6.1.5.5.7.48.1.1";
    private static readonly Asn1Tag Explicit0 = new(TagClass.ContextSpecific, 0, isConstructed: true), Good = new(TagClass.ContextSpecific, 0);

    /// <summary>Reads one.</summary>
    /// <param name="file">Where it came from, for messages.</param>
    /// <param name="encoded">What is in it.</param>
    /// <param name="leaf">The certificate that it has to be about.</param>
    /// <exception cref="InvalidDataException">It cannot be used; the message names the file and the fix.</exception>
    public static OcspStaple Parse(string file, byte[] encoded, X509Certificate2 leaf)
    {
        if (encoded.Length == 0) throw Unusable("cannot be read, or is empty");
        if (encoded.Length > MostBytes) throw Unusable($"is longer than {MostBytes} bytes");
        try
        {
            var whole = new AsnReader(encoded, AsnEncodingRules.DER);
            var response = whole.ReadSequence();
            // Many clients take none with something behind it.
            whole.ThrowIfNotEmpty();
            if (response.ReadEnumeratedBytes().Span is not [0]) throw Unusable("says that the authority had no answer");
            var bytes = response.ReadSequence(Explicit0).ReadSequence();
            if (bytes.ReadObjectIdentifier() != Basic) throw Unusable("is of a kind that nobody knows");
            var data = new AsnReader(bytes.ReadOctetString(), AsnEncodingRules.DER).ReadSequence().ReadSequence();
            if (data.PeekTag().HasSameClassAndValue(Explicit0)) _ = data.ReadEncodedValue();
            _ = data.ReadEncodedValue();
            _ = data.ReadGeneralizedTime();
            var answers = data.ReadSequence();
            while (answers.HasData)
            {
                var answer = answers.ReadSequence();
                var certificate = answer.ReadSequence();
                // Another authority may have given the same number.
                var isIssuers = IsNameOf(leaf.IssuerName, certificate.ReadSequence().ReadObjectIdentifier(), certificate.ReadOctetString());
                _ = certificate.ReadOctetString();
                if (certificate.ReadInteger() != new BigInteger(leaf.SerialNumberBytes.Span, isUnsigned: true, isBigEndian: true) || !isIssuers) continue;
                if (!answer.PeekTag().HasSameClassAndValue(Good)) throw Unusable("says that the certificate is revoked, or unknown");
                _ = answer.ReadEncodedValue();
                _ = answer.ReadGeneralizedTime();
                if (!answer.HasData || !answer.PeekTag().HasSameClassAndValue(Explicit0)) throw Unusable("does not say until when it holds");
                var expires = answer.ReadSequence(Explicit0).ReadGeneralizedTime();
                return expires > DateTimeOffset.UtcNow ? new OcspStaple(encoded, expires) : throw Unusable($"held until {expires:u}");
            }
        }
        catch (AsnContentException)
        {
            throw Unusable("is no OCSP response in DER");
        }
        throw Unusable("is about another certificate");

        static bool IsNameOf(X500DistinguishedName issuer, string algorithm, byte[] digest) => NewDigest(algorithm) is { } made && made(issuer.RawData).AsSpan().SequenceEqual(digest);

        InvalidDataException Unusable(string why) => new($"The OCSP file \"{file}\" {why}: fetch the certificate's from its authority (openssl ocsp -respout), or leave OcspFile out.");
    }

#pragma warning disable CA5350 // What it is about is told by SHA-1 nearly everywhere (RFC 5019, section 2.1.1); nothing hangs on nobody's finding another name of the same digest.
    private static Func<byte[], byte[]>? NewDigest(string algorithm) => algorithm switch
    {
        "1.3.14.3.2.26" => SHA1.HashData,
        "2.16.840.1.101.3.4.2.1" => SHA256.HashData,
        "2.16.840.1.101.3.4.2.2" => SHA384.HashData,
        "2.16.840.1.101.3.4.2.3" => SHA512.HashData,
        _ => null,
    };
#pragma warning restore CA5350
}
