using System.Formats.Asn1;
using System.Text;
using ImapDirector.Network.Tls;
using ImapDirector.Network.Tls.OpenSsl;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

public sealed class RevocationListsTests : IDisposable
{
    // A list has version, algorithm, issuer and thisUpdate before it.
    private const int NextUpdate = 4;
    private const byte Extensions = 0xA0;

    private readonly ClientAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void A_file_may_have_several_lists_and_ends_with_the_first_of_them()
    {
        using var below = new ClientAuthority("Below", _authority);
        var late = _authority.RevokeInPem();
        var early = System.Security.Cryptography.PemEncoding.WriteString("X509 CRL", below.Revoke([], to: TimeSpan.FromHours(3)));
        foreach (var text in (string[])[late + early + "\n", early + "\n" + late])
        {
            var lists = RevocationLists.Parse(["lists"], [new(Encoding.ASCII.GetBytes(text))], [_authority.Certificate, below.Certificate]);
            var state = Assert.Single(lists.States);
            Assert.Equal("lists", state.File);
            Assert.InRange(state.Expires, DateTimeOffset.UtcNow.AddHours(2), DateTimeOffset.UtcNow.AddHours(4));
        }
    }

    [Fact]
    public void What_cannot_be_used_is_told_with_the_file_and_the_fix()
    {
        using var sameName = new ClientAuthority();
        using var other = new ClientAuthority("Other");
        var good = _authority.Revoke([]);
        AssertUnusable("has no list", []);
        AssertUnusable("has no list", "garbage"u8.ToArray());
        AssertUnusable("has what is no list", [0x30, 0x03, 0x02, 0x01, 0x00]);
        AssertUnusable("has what is no list", good[..^1]);
        AssertUnusable("has what is no list", [.. good, 0]);
        AssertUnusable("has what is no list", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"u8.ToArray());
        AssertUnusable("has something else in it", Encoding.ASCII.GetBytes(_authority.RevokeInPem() + _authority.Pem));
        AssertUnusable("nobody of AuthorityFile has signed", other.Revoke([]));
        AssertUnusable("nobody of AuthorityFile has signed", sameName.Revoke([]));
        var forged = (byte[])good.Clone();
        forged[^5] ^= 1;
        AssertUnusable("nobody of AuthorityFile has signed", forged);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_file_is_so_long_and_no_longer(int above, bool isTaken)
    {
        var pem = Encoding.ASCII.GetBytes(_authority.RevokeInPem());
        byte[] padded = [.. pem, .. Enumerable.Repeat((byte)'\n', RevocationLists.MostFileBytes - pem.Length + above)];
        if (isTaken) Assert.Empty(Parse(padded).Faults);
        else AssertUnusable("is longer than", padded);
    }

    [Theory]
    [InlineData(RevocationLists.MostLists, true)]
    [InlineData(RevocationLists.MostLists + 1, false)]
    public void There_are_so_many_lists_and_no_more(int count, bool isTaken)
    {
        var list = _authority.RevokeInPem();
        var all = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(list, count)));
        if (isTaken) Assert.Empty(Parse(all).Faults);
        else AssertUnusable("more than 64 lists", all);
    }

    [Fact]
    public void Nobody_counts_once_a_list_is_out_of_date_neither_who_is_resumed()
    {
        using var alice = _authority.Issue();
        foreach (var (end, counts) in ((int, bool)[])[(1, true), (-1, false)])
        {
            var authorities = ClientAuthorities.Parse(new ClientCertificateOptions("clients.pem", CrlFiles: ["list.crl"]), _authority.Pem, [new(_authority.Revoke([], from: TimeSpan.FromDays(-2), to: TimeSpan.FromDays(end)))]);
            Assert.Equal(counts, authorities.Identify(alice.RawData, null).IsVerified);
            Assert.Equal(default, authorities.Identify(null, null));
        }
    }

    [Fact]
    public void A_list_that_never_is_out_of_date_cannot_be_used()
    {
        // The last of its two times.
        AssertUnusable("does not say until when", _authority.SignAgain(_authority.Revoke([]), static (field, value) => field == NextUpdate ? default : value));
    }

    [Theory]
    [InlineData("00000101000000Z", false)]
    [InlineData("00010101000000Z", false)]
    [InlineData("99991231235959Z", true)]
    public void Any_year_may_be_in_a_list(string end, bool isInTime)
    {
        var list = WithEnd(end);
        Assert.Equal(isInTime, Assert.Single(Parse(list).States).Expires > DateTimeOffset.UtcNow);
        using var alice = _authority.Issue();
        var authorities = ClientAuthorities.Parse(new ClientCertificateOptions("clients.pem", CrlFiles: ["list.crl"]), _authority.Pem, [new(list)]);
        Assert.Equal(isInTime, authorities.Identify(alice.RawData, null).IsVerified);
    }

    [Theory]
    // RFC 5280, section 5.2.5: of users alone, of authorities alone, for some reasons, indirect, of attributes, of one point, and of nothing that is told.
    [InlineData("2.5.29.28", true, "30038101FF", "part alone")]
    [InlineData("2.5.29.28", true, "30038201FF", "part alone")]
    [InlineData("2.5.29.28", true, "300483020640", "part alone")]
    [InlineData("2.5.29.28", true, "30038401FF", "part alone")]
    [InlineData("2.5.29.28", true, "30038501FF", "part alone")]
    [InlineData("2.5.29.28", true, "300FA00DA00B8609687474703A2F2F782F", "part alone")]
    [InlineData("2.5.29.28", false, "30038101FF", "part alone")]
    [InlineData("2.5.29.28", true, "0500", "part alone")]
    [InlineData("2.5.29.27", true, "020101", "a delta")]
    [InlineData("2.5.29.27", false, "020101", "a delta")]
    [InlineData("1.3.6.1.4.1.99999.2", true, "0500", "critical extension")]
    [InlineData("2.5.29.20", false, "0500", "number")]
    [InlineData("2.5.29.20", false, "0201FF", "number")]
    public void A_list_that_is_not_the_whole_list_of_its_authority_cannot_be_used(string extension, bool isCritical, string value, string why)
    {
        AssertUnusable(why, With(extension, isCritical, value));
        // Neither is it among others.
        AssertUnusable(why, Encoding.ASCII.GetBytes(_authority.RevokeInPem() + System.Security.Cryptography.PemEncoding.WriteString("X509 CRL", With(extension, isCritical, value))));
    }

    [Theory]
    [InlineData("1.3.6.1.4.1.99999.2", "0500")]
    [InlineData("2.5.29.46", "300F300DA00BA0098607687474703A2F2F")]
    public void What_is_not_critical_in_a_list_does_not_matter(string extension, string value) => Assert.Empty(Parse(With(extension, false, value)).Faults);

    [Fact]
    public void An_authority_whose_certificate_may_sign_no_lists_has_none()
    {
        using var other = new ClientAuthority("Other", signsLists: false);
        using var lists = RevocationLists.Parse(["list.crl"], [new(other.Revoke([]))], [other.Certificate]);
        Assert.Contains("cRLSign", Assert.Single(lists.Faults), StringComparison.Ordinal);
        using var alice = other.Issue();
        Assert.NotNull(lists.FaultOf(alice));
    }

    [Theory]
    // Number and hours: of what is there, and of what comes.
    [InlineData(4, -3, 5, -2, true)]
    [InlineData(5, -2, 4, -3, false)]
    [InlineData(5, -3, 4, -2, false)]
    [InlineData(4, -2, 5, -3, true)]
    [InlineData(4, -2, 4, -3, false)]
    [InlineData(4, -3, 4, -2, true)]
    [InlineData(4, -2, 4, -2, true)]
    [InlineData(null, -3, 4, -2, true)]
    [InlineData(4, -2, null, -3, false)]
    [InlineData(null, -2, null, -3, false)]
    [InlineData(null, -3, null, -2, true)]
    [InlineData(127, -2, 128, -3, true)]
    [InlineData(65536, -2, 65535, -3, false)]
    public void Of_an_authority_the_newest_list_holds(int? number, int from, int? nextNumber, int nextFrom, bool isTaken)
    {
        using var alice = _authority.Issue();
        byte[] one = Numbered(_authority.Revoke([], TimeSpan.FromHours(from), number: number ?? 1), number is null), next = Numbered(_authority.Revoke([alice], TimeSpan.FromHours(nextFrom), number: nextNumber ?? 1), nextNumber is null);
        using var former = Parse(one);
        using var later = RevocationLists.Parse(["list.crl"], [new(next)], [_authority.Certificate], former);
        Assert.Equal(isTaken, later.Faults.Count == 0);
        Assert.Equal(isTaken, later.FaultOf(alice) is not null);
        // The same when both are in the files, and then nobody has gone back.
        using var both = RevocationLists.Parse(["one", "next"], [new(one), new(next)], [_authority.Certificate]);
        Assert.Equal(isTaken, both.FaultOf(alice) is not null);
        Assert.Empty(both.Faults);
    }

    [Fact]
    public void A_newer_list_that_has_run_out_is_not_saved_by_an_older_one_that_has_not()
    {
        using var alice = _authority.Issue();
        byte[] longer = _authority.Revoke([], TimeSpan.FromDays(-3), TimeSpan.FromDays(9), number: 1), newer = _authority.Revoke([alice], TimeSpan.FromDays(-2), TimeSpan.FromDays(-1), number: 2);
        foreach (var contents in (FileContent[][])[[new(longer), new(newer)], [new(newer), new(longer)]])
        {
            using var lists = RevocationLists.Parse(["one", "other"], contents, [_authority.Certificate]);
            Assert.NotNull(lists.FaultOf(alice));
            Assert.All(lists.States, static state => Assert.True(state.Expires < DateTimeOffset.UtcNow));
        }
    }

    [FactIfInstalled("openssl")]
    public void Lists_made_by_openssl_are_taken_when_they_are_whole()
    {
        using var directory = new OpenSslAuthority();
        var whole = directory.MakeList("");
        using (var lists = RevocationLists.Parse(["list"], [new(Encoding.ASCII.GetBytes(whole))], [directory.Certificate])) Assert.Empty(lists.Faults);
        foreach (var (extension, why) in ((string, string)[])[("issuingDistributionPoint=critical,@point", "part alone"), ("2.5.29.27=critical,ASN1:INTEGER:1", "a delta")])
        {
            using var lists = RevocationLists.Parse(["list"], [new(Encoding.ASCII.GetBytes(directory.MakeList(extension)))], [directory.Certificate]);
            Assert.Contains(why, Assert.Single(lists.Faults), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Nothing_but_its_signature_is_looked_at_in_a_list_of_somebody_else()
    {
        var list = WithEnd("00000101000000Z");
        list[^5] ^= 1;
        AssertUnusable("nobody of AuthorityFile has signed", list);
    }

    private byte[] With(string extension, bool isCritical, string value) => _authority.SignAgain(_authority.Revoke([]), (_, field) => field.Span[0] == Extensions ? Add(field, extension, isCritical, value) : field);

    private byte[] Numbered(byte[] list, bool isWithout) => isWithout ? _authority.SignAgain(list, static (_, field) => field.Span[0] == Extensions ? default : field) : list;

    // A second one of a kind takes the first one's place.
    private static byte[] Add(ReadOnlyMemory<byte> extensions, string extension, bool isCritical, string value)
    {
        var (all, tag) = (new AsnWriter(AsnEncodingRules.DER), new Asn1Tag(TagClass.ContextSpecific, 0, isConstructed: true));
        using (all.PushSequence(tag))
        using (all.PushSequence())
        {
            for (var others = new AsnReader(extensions, AsnEncodingRules.DER).ReadSequence(tag).ReadSequence(); others.HasData;)
            {
                var other = others.ReadEncodedValue();
                if (new AsnReader(other, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier() != extension) all.WriteEncodedValue(other.Span);
            }
            using (all.PushSequence())
            {
                all.WriteObjectIdentifier(extension);
                if (isCritical) all.WriteBoolean(true);
                all.WriteOctetString(Convert.FromHexString(value));
            }
        }
        return all.Encode();
    }

    private byte[] WithEnd(string time) => _authority.SignAgain(_authority.Revoke([]), (field, value) => field == NextUpdate ? (byte[])[0x18, (byte)time.Length, .. Encoding.ASCII.GetBytes(time)] : value);

    private RevocationLists Parse(byte[] content) => RevocationLists.Parse(["list.crl"], [new(content)], [_authority.Certificate]);

    private void AssertUnusable(string why, byte[] content)
    {
        using var lists = Parse(content);
        var message = Assert.Single(lists.Faults);
        Assert.Equal([new RevocationState("list.crl", DateTimeOffset.UnixEpoch)], lists.States);
        Assert.StartsWith("The CRL file \"list.crl\" ", message, StringComparison.Ordinal);
        Assert.Contains(why, message, StringComparison.Ordinal);
    }
}
