using System.Text;
using ImapDirector.Storage.Transfer;
using Xunit;

namespace ImapDirector.Storage.Tests.Transfer;

public sealed class TransferManifestTests
{
    private static readonly string Digest = new('a', 64);
    private static readonly TransferManifest Sound = new("alice@example.com", 2, Digest, 1, [new("mail.db", 5, Digest), new("0123456789abcdef0123456789abcdef", 0, Digest)]);

    [Fact]
    public void What_is_written_is_read()
    {
        var read = TransferManifest.TryRead(Sound.Write())!;
        Assert.Equal(Sound.Files, read.Files);
        Assert.Equal(Sound with { Files = read.Files }, read);
        Assert.Equal(5, read.TotalBytes);
    }

    [Theory]
    [InlineData("mail.db", "../mail.db")]
    [InlineData("mail.db", "/etc/passwd")]
    [InlineData("mail.db", "mail.db-wal")]
    [InlineData("0123456789abcdef0123456789abcdef", "mail.db")]
    [InlineData("0123456789abcdef0123456789abcdef", "..")]
    [InlineData("alice@example.com", "Alice@example.com")]
    [InlineData("alice@example.com", "../alice")]
    [InlineData("\"size\":5", "\"size\":-1")]
    [InlineData("\"size\":5", "\"size\":9223372036854775808")]
    [InlineData("\"size\":0", "\"size\":9223372036854775807")]
    [InlineData("\"epoch\":2", "\"epoch\":0")]
    [InlineData("\"messages\":1", "\"messages\":-1")]
    [InlineData("\"epoch\":2,", "")]
    [InlineData("\"epoch\":2", "\"epoch\":2,\"more\":1")]
    [InlineData("aaaaaaaa", "AAAAAAAA")]
    [InlineData("[", "[null,")]
    [InlineData("}", "")]
    public void What_nobody_writes_is_not(string written, string instead)
    {
        var text = Encoding.UTF8.GetString(Sound.Write());
        Assert.Contains(written, text, StringComparison.Ordinal);
        Assert.Null(TransferManifest.TryRead(Encoding.UTF8.GetBytes(text.Replace(written, instead, StringComparison.Ordinal))));
    }
}
