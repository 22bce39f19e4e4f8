using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

public sealed class ClientAuthoritiesTests : IDisposable
{
    private static readonly ClientCertificateOptions Options = new("clients.pem");

    private readonly ClientAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData(ClientAuthorities.MostAuthorities - 1, true)]
    [InlineData(ClientAuthorities.MostAuthorities, true)]
    [InlineData(ClientAuthorities.MostAuthorities + 1, false)]
    public void There_are_so_many_and_no_more(int count, bool isTaken)
    {
        var pem = string.Join('\n', Enumerable.Repeat(_authority.Pem, count));
        if (isTaken) Assert.Equal(count, ClientAuthorities.Parse(Options, pem).Certificates.Count);
        else AssertUnusable(pem);
    }

    [Fact]
    public void What_cannot_be_used_is_told_with_the_file_and_the_fix()
    {
        AssertUnusable("");
        AssertUnusable("nothing");
        AssertUnusable("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
        // Whoever would be one's own authority.
        using var client = _authority.Issue();
        AssertUnusable(_authority.Pem + "\n" + client.ExportCertificatePem());
        using var below = new ClientAuthority("Below", _authority);
        AssertUnusable(below.Pem);
    }

    [Theory]
    [InlineData(UniversalTagNumber.UTF8String, "alice")]
    [InlineData(UniversalTagNumber.PrintableString, "alice")]
    [InlineData(UniversalTagNumber.BMPString, null)]
    [InlineData(UniversalTagNumber.T61String, null)]
    public void A_name_is_read_in_the_sets_of_letters_that_are_in_use(UniversalTagNumber type, string? name)
    {
        using var certificate = _authority.Issue(Subject(("2.5.4.3", type, "alice")));
        Assert.Equal(name, CertificateFields.ValueOf(certificate, CertificateField.SubjectCommonName));
    }

    [Fact]
    public void What_stands_behind_a_NUL_is_part_of_the_name_so_that_nobody_can_have_it()
    {
        using var certificate = _authority.Issue(Subject(("2.5.4.3", UniversalTagNumber.UTF8String, "alice\0.example.com")));
        Assert.Equal("alice\0.example.com", CertificateFields.ValueOf(certificate, CertificateField.SubjectCommonName));
    }

    [Fact]
    public void Other_fields_and_several_values_name_nobody()
    {
        using var certificate = _authority.Issue("CN=alice, E=alice@example.com, E=bob@example.com", ["alice@example.com", "bob@example.com"]);
        Assert.Equal("alice", CertificateFields.ValueOf(certificate, CertificateField.SubjectCommonName));
        Assert.Null(CertificateFields.ValueOf(certificate, CertificateField.SubjectEmail));
        Assert.Null(CertificateFields.ValueOf(certificate, CertificateField.EmailSan));
        using var both = _authority.Issue(Subject(("2.5.4.3", UniversalTagNumber.UTF8String, "alice"), ("2.5.4.3", UniversalTagNumber.UTF8String, "bob")));
        Assert.Null(CertificateFields.ValueOf(both, CertificateField.SubjectCommonName));
        using var bare = _authority.Issue("O=alice");
        foreach (var field in Enum.GetValues<CertificateField>()) Assert.Null(CertificateFields.ValueOf(bare, field));
    }

    [Fact]
    public void What_is_no_certificate_counts_for_nothing()
    {
        var authorities = ClientAuthorities.Parse(Options, _authority.Pem);
        Assert.Equal(default, authorities.Identify(null, null));
        Assert.False(authorities.Identify([], null).IsVerified);
        Assert.False(authorities.Identify([0x30, 0x03, 0x02, 0x01], null).IsVerified);
        using var good = _authority.Issue();
        Assert.Equal(new ClientIdentity(true, "alice", null), authorities.Identify(good.RawData, null));
        Assert.Equal(new ClientIdentity(false, null, "a fault"), authorities.Identify(good.RawData, "a fault"));
        // As it may be in a session that is resumed.
        using var old = _authority.Issue(from: TimeSpan.FromDays(-2), to: TimeSpan.FromSeconds(-5));
        Assert.False(authorities.Identify(old.RawData, null).IsVerified);
    }

    private static void AssertUnusable(string pem) =>
        Assert.Contains("\"clients.pem\"", Assert.Throws<InvalidDataException>(() => ClientAuthorities.Parse(Options, pem)).Message, StringComparison.Ordinal);

    // All in one part of the name ("CN=alice + CN=bob").
    private static X500DistinguishedName Subject(params (string Type, UniversalTagNumber Letters, string Value)[] attributes)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSetOf())
        {
            foreach (var (type, letters, value) in attributes)
            {
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(type);
                    writer.WriteCharacterString(letters, value);
                }
            }
        }
        return new X500DistinguishedName(writer.Encode());
    }
}
