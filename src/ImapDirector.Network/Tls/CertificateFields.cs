using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Network.Tls;

/// <summary>Reads the one value of a field of a certificate. Several values are none: which of them is meant, nobody can know.</summary>
internal static class CertificateFields
{
    private const string CommonName = "2.5.4.3";
    private const string EmailAddress = "1.2.840.113549.1.9.1";
    private const string AlternativeNames = "2.5.29.17";
    private static readonly Asn1Tag Rfc822Name = new(TagClass.ContextSpecific, 1);

    /// <returns><c>null</c> where there is no such value, or more than one.</returns>
    /// <exception cref="AsnContentException">The certificate cannot be read.</exception>
    public static string? ValueOf(X509Certificate2 certificate, CertificateField field)
    {
        var values = field switch
        {
            CertificateField.EmailSan => Emails(certificate),
            CertificateField.SubjectEmail => Attributes(certificate.SubjectName, EmailAddress),
            _ => Attributes(certificate.SubjectName, CommonName),
        };
        return values is [{ Length: > 0 } only] ? only : null;
    }

    private static List<string> Attributes(X500DistinguishedName name, string type)
    {
        var values = new List<string>();
        for (var parts = new AsnReader(name.RawData, AsnEncodingRules.DER).ReadSequence(); parts.HasData;)
        {
            // Some authorities do not sort the parts of one that has several.
            for (var part = parts.ReadSetOf(skipSortOrderValidation: true); part.HasData;)
            {
                var attribute = part.ReadSequence();
                if (attribute.ReadObjectIdentifier() == type) values.Add(Text(attribute));
            }
        }
        return values;
    }

    // In the old sets of letters nobody writes a user's name.
    private static string Text(AsnReader value)
    {
        var tag = value.PeekTag();
        if (tag.TagClass != TagClass.Universal) return "";
        return (UniversalTagNumber)tag.TagValue is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
            ? value.ReadCharacterString((UniversalTagNumber)tag.TagValue) : "";
    }

    private static List<string> Emails(X509Certificate2 certificate)
    {
        var values = new List<string>();
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != AlternativeNames) continue;
            for (var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence(); names.HasData;)
            {
                if (names.PeekTag().HasSameClassAndValue(Rfc822Name)) values.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, Rfc822Name));
                else _ = names.ReadEncodedValue();
            }
        }
        return values;
    }
}
