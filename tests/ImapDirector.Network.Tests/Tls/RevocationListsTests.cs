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
            var lists = RevocationLists.Parse(["lists"], [Encoding.ASCII.GetBytes(text)], [_authority.Certificate, below.Certificate]);
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
        if (isTaken) Assert.Single(Parse(padded).States);
        else AssertUnusable("is longer than", padded);
    }

    [Theory]
    [InlineData(RevocationLists.MostLists, true)]
    [InlineData(RevocationLists.MostLists + 1, false)]
    public void There_are_so_many_lists_and_no_more(int count, bool isTaken)
    {
        var list = _authority.RevokeInPem();
        var all = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(list, count)));
        if (isTaken) Assert.Single(Parse(all).States);
        else Assert.Contains("more than 64 lists", Assert.Throws<InvalidDataException>(() => Parse(all)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_counts_once_a_list_is_out_of_date_neither_who_is_resumed()
    {
        using var alice = _authority.Issue();
        foreach (var (end, counts) in ((int, bool)[])[(1, true), (-1, false)])
        {
            var authorities = ClientAuthorities.Parse(new ClientCertificateOptions("clients.pem", CrlFiles: ["list.crl"]), _authority.Pem, [_authority.Revoke([], from: TimeSpan.FromDays(-2), to: TimeSpan.FromDays(end))]);
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
        var authorities = ClientAuthorities.Parse(new ClientCertificateOptions("clients.pem", CrlFiles: ["list.crl"]), _authority.Pem, [list]);
        Assert.Equal(isInTime, authorities.Identify(alice.RawData, null).IsVerified);
    }

    [Fact]
    public void Nothing_but_its_signature_is_looked_at_in_a_list_of_somebody_else()
    {
        var list = WithEnd("00000101000000Z");
        list[^5] ^= 1;
        AssertUnusable("nobody of AuthorityFile has signed", list);
    }

    private byte[] WithEnd(string time) => _authority.SignAgain(_authority.Revoke([]), (field, value) => field == NextUpdate ? (byte[])[0x18, (byte)time.Length, .. Encoding.ASCII.GetBytes(time)] : value);

    private RevocationLists Parse(byte[] content) => RevocationLists.Parse(["list.crl"], [content], [_authority.Certificate]);

    private void AssertUnusable(string why, byte[] content)
    {
        var message = Assert.Throws<InvalidDataException>(() => Parse(content)).Message;
        Assert.StartsWith("The CRL file \"list.crl\" ", message, StringComparison.Ordinal);
        Assert.Contains(why, message, StringComparison.Ordinal);
    }
}
