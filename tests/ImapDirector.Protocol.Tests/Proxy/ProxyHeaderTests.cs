using System.Net;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Proxy;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Protocol.Tests.Proxy;

public sealed class ProxyHeaderTests
{
    private const string Signature = "\r\n\r\n\0\r\nQUIT\n";
    private const string IPv4 = "\xC0\x00\x02\x01\xC6\x33\x64\x07\x9C\x40\x03\xE1";
    private const string IPv6 = "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x02\0\x07\0\x8F";

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r\n", "192.0.2.1:40000", "198.51.100.7:993")]
    [InlineData("PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255:65535", "0.0.0.0:0")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:DB8::2 7 143\r\n", "[2001:db8::1]:7", "[2001:db8::2]:143")]
    [InlineData("PROXY TCP6 ::ffff:192.0.2.1 ::1 7 143\r\n", "[::ffff:192.0.2.1]:7", "[::1]:143")]
    [InlineData("PROXY UNKNOWN\r\n", null, null)]
    [InlineData("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", null, null)]
    public async Task Version_1_names_the_client(string header, string? source, string? destination) =>
        Assert.Equal(Expected(source, destination), await ReadExactlyAsync(header));

    [Theory]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000 993 1\r\n")]
    [InlineData("PROXY TCP4  192.0.2.1 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 40000 993 \r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 65536 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 -1 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 040 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2.1 198.51.100.7 4294967297 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP4 0x7f.0.0.1 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP4 127.0.0.01 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP4 192.0.2.256 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP4 2001:db8::1 2001:db8::2 40000 993\r\n")]
    [InlineData("PROXY TCP6 192.0.2.1 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY TCP6 [::1]:80 ::1 40000 993\r\n")]
    [InlineData("PROXY TCP6 fe80::1%eth0 ::1 40000 993\r\n")]
    [InlineData("PROXY UDP4 192.0.2.1 198.51.100.7 40000 993\r\n")]
    [InlineData("PROXY unknown\r\n")]
    [InlineData("PROXY \r\n")]
    [InlineData("PROXY \n")]
    [InlineData("PROXY\r\n")]
    [InlineData("proxy UNKNOWN\r\n")]
    [InlineData(" PROXY UNKNOWN\r\n")]
    [InlineData("a1 LOGIN joe secret\r\n")]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")]
    [InlineData("\n")]
    [InlineData("")]
    public async Task What_is_no_version_1_header_is_none(string bytes) => Assert.Null(await ReadAsync(bytes));

    [Theory]
    [InlineData(106, true)]
    [InlineData(107, true)]
    [InlineData(108, false)]
    public async Task A_version_1_header_has_at_most_107_bytes(int bytes, bool isHeader)
    {
        var header = "PROXY UNKNOWN " + new string('x', bytes - 16) + "\r\n";
        Assert.Equal(bytes, header.Length);
        Assert.Equal(isHeader ? new ProxyHeader(null, null) : null, await ReadAsync(header));
    }

    [Theory]
    [InlineData("\x21\x11\0\x0C" + IPv4, "192.0.2.1:40000", "198.51.100.7:993")]
    [InlineData("\x21\x11\0\x0F" + IPv4 + "\x04\0\0", "192.0.2.1:40000", "198.51.100.7:993")]
    [InlineData("\x21\x21\0\x24" + IPv6, "[2001:db8::1]:7", "[2001:db8::2]:143")]
    [InlineData("\x21\x21\0\x26" + IPv6 + "ab", "[2001:db8::1]:7", "[2001:db8::2]:143")]
    [InlineData("\x20\0\0\0", null, null)]
    [InlineData("\x20\x11\0\x0C" + IPv4, null, null)]
    [InlineData("\x20\xFF\0\u0002ab", null, null)]
    [InlineData("\x21\0\0\0", null, null)]
    [InlineData("\x21\0\0\u0003abc", null, null)]
    public async Task Version_2_names_the_client_and_its_TLVs_are_skipped(string rest, string? source, string? destination) =>
        Assert.Equal(Expected(source, destination), await ReadExactlyAsync(Signature + rest));

    [Theory]
    [InlineData("\x11\x11\0\x0C" + IPv4)]
    [InlineData("\x31\x11\0\x0C" + IPv4)]
    [InlineData("\x22\x11\0\x0C" + IPv4)]
    [InlineData("\x21\x12\0\x0C" + IPv4)]
    [InlineData("\x21\x22\0\x24" + IPv6)]
    [InlineData("\x21\x31\0\x0C" + IPv4)]
    [InlineData("\x21\x11\0\x0B" + IPv4)]
    [InlineData("\x21\x21\0\x0C" + IPv4)]
    [InlineData("\x21\x21\0\x23" + IPv6)]
    [InlineData("\x21\x11\0\x0D" + IPv4)]
    [InlineData("\x21\x11\xFF\xFF" + IPv4)]
    [InlineData("\x21\x11\0")]
    [InlineData("")]
    public async Task What_is_no_version_2_header_is_none(string rest) => Assert.Null(await ReadAsync(Signature + rest));

    [Theory]
    [InlineData(535, true)]
    [InlineData(536, true)]
    [InlineData(537, false)]
    public async Task A_version_2_header_has_at_most_536_bytes_behind_its_first_16(int bytes, bool isHeader)
    {
        var header = Signature + "\x21\x11" + (char)(bytes >> 8) + (char)(bytes & 0xFF) + IPv4 + new string('\x04', bytes - 12);
        Assert.Equal(isHeader ? Expected("192.0.2.1:40000", "198.51.100.7:993") : null, await ReadAsync(header));
    }

    [Fact]
    public async Task A_stream_that_never_ends_its_line_is_given_up_at_the_limit()
    {
        var input = new CutPipeReader(Encoding.Latin1.GetBytes("PROXY TCP4 " + new string('1', 5000)), 10);
        Assert.Null(await ProxyHeader.ReadAsync(input, default));
        Assert.InRange(input.BytesConsumed, 0, 110);
    }

    [Fact]
    public void Any_cut_gives_the_same_header_and_leaves_the_same_bytes()
    {
        string[] known =
        [
            "PROXY TCP4 192.0.2.1 198.51.100.7 40000 993\r\n", "PROXY UNKNOWN\r\n", Signature + "\x21\x11\0\x0F" + IPv4 + "\x04\0\0",
            Signature + "\x20\0\0\0", Signature + "\x21\x21\0\x24" + IPv6, "a1 NOOP\r\n",
        ];
        var headers = Gen.Int[0, known.Length - 1].Select(i => known[i]);
        var tails = Gen.String[Gen.Char["\r\n\0 a1PROXY"], 0, 30];
        Gen.Select(headers, tails, Gen.Int[0, 80], Gen.Int[1, 20].Array[1, 5]).Sample((header, tail, kept, cuts) =>
        {
            var bytes = Encoding.Latin1.GetBytes(header[..Math.Min(kept, header.Length)] + tail);
            var (whole, cut) = (new CutPipeReader(bytes), new CutPipeReader(bytes, cuts));
            var expected = ProxyHeader.ReadAsync(whole, default).AsTask().GetAwaiter().GetResult();
            Assert.Equal(expected, ProxyHeader.ReadAsync(cut, default).AsTask().GetAwaiter().GetResult());
            if (expected is not null) Assert.Equal(whole.BytesConsumed, cut.BytesConsumed);
        });
    }

    [Theory]
    [InlineData("192.0.2.1:40000", "198.51.100.7:993", "192.0.2.1:40000", "198.51.100.7:993", 28)]
    [InlineData("[2001:db8::1]:7", "[2001:db8::2]:65535", "[2001:db8::1]:7", "[2001:db8::2]:65535", 52)]
    [InlineData("192.0.2.1:0", "[2001:db8::2]:143", "[::ffff:192.0.2.1]:0", "[2001:db8::2]:143", 52)]
    [InlineData("[2001:db8::1]:7", "198.51.100.7:143", "[2001:db8::1]:7", "[::ffff:198.51.100.7]:143", 52)]
    [InlineData(null, null, null, null, 16)]
    [InlineData("192.0.2.1:1", null, null, null, 16)]
    public async Task What_is_written_is_what_is_read(string? source, string? destination, string? readSource, string? readDestination, int length)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        ProxyHeaderWriter.Version2(output, source is null ? null : IPEndPoint.Parse(source), destination is null ? null : IPEndPoint.Parse(destination));
        Assert.Equal(length, output.WrittenCount);
        Assert.Equal(Expected(readSource, readDestination), await ReadExactlyAsync(Encoding.Latin1.GetString(output.WrittenSpan)));
    }

    private static async Task<ProxyHeader?> ReadAsync(string bytes) => await ProxyHeader.ReadAsync(new CutPipeReader(Encoding.Latin1.GetBytes(bytes)), default);

    private static async Task<ProxyHeader?> ReadExactlyAsync(string header)
    {
        var input = new CutPipeReader(Encoding.Latin1.GetBytes(header + "a1 NOOP\r\n"));
        var read = await ProxyHeader.ReadAsync(input, default);
        Assert.Equal(header.Length, input.BytesConsumed);
        return read;
    }

    private static ProxyHeader Expected(string? source, string? destination) =>
        new(source is null ? null : IPEndPoint.Parse(source), destination is null ? null : IPEndPoint.Parse(destination));
}
