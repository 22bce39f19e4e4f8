using System.Net;
using System.Text;
using CsCheck;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using ImapDirector.Storage.Delivery;
using Xunit;

namespace ImapDirector.Storage.Tests.Delivery;

public sealed class TraceHeaderTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 9, 5, 7, TimeSpan.FromHours(2));

    [Fact]
    public void The_sender_the_way_and_the_time_are_written() =>
        Assert.Equal(
            "Return-Path: <sender@example.net>\r\n" +
            "Received: from mx.example.net ([192.0.2.7])\r\n" +
            "\tby node1 with LMTP id Abc-_123\r\n" +
            "\tfor <alice@example.com>; Sun, 01 Mar 2026 07:05:07 +0000\r\n",
            Write(Envelope("sender@example.net")));

    [Theory]
    [InlineData("2001:db8::1", "([IPv6:2001:db8::1])")]
    [InlineData("::ffff:192.0.2.7", "([192.0.2.7])")]
    public void An_address_is_written_as_a_literal(string peer, string literal) =>
        Assert.Contains(literal, Write(Envelope("", peer: peer)), StringComparison.Ordinal);

    [Fact]
    public void A_bounce_has_an_empty_sender() => Assert.StartsWith("Return-Path: <>\r\n", Write(Envelope("")), StringComparison.Ordinal);

    [Fact]
    public void A_sender_in_UTF_8_is_written_so_and_the_protocol_says_it()
    {
        var header = Write(Envelope("d\u00f6ner@b\u00fccher.example", isUtf8: true));
        Assert.StartsWith("Return-Path: <d\u00f6ner@b\u00fccher.example>\r\n", header, StringComparison.Ordinal);
        Assert.Contains(" with UTF8LMTP id ", header, StringComparison.Ordinal);
    }

    [Fact]
    public void No_value_begins_a_line_of_its_own() =>
        Gen.Select(Gen.String[Gen.Char["\r\n\0\u0085\u2028 ;()<>a"], 0, 30], Gen.String[Gen.Char["\r\n\0\t ;()<>a"], 0, 30]).Sample((sender, name) =>
        {
            var header = Write(Envelope(sender, name), nodeName: name);
            var lines = header.Split("\r\n");
            Assert.Equal(["Return-", "Receive", "\tby", "\tfor", ""], lines.Select(static line => line.StartsWith('\t') ? line[..line.IndexOf(' ')] : line[..Math.Min(7, line.Length)]));
            Assert.DoesNotContain(string.Concat(lines), static letter => (char.IsControl(letter) && letter != '\t') || letter == '\u2028');
        });

    private static string Write(LmtpTransaction envelope, string nodeName = "node1")
    {
        Assert.True(UserName.TryCreate("alice@example.com", null, out var user));
        return Encoding.UTF8.GetString(TraceHeader.Write(envelope, nodeName, user, Now));
    }

    private static LmtpTransaction Envelope(string sender, string peerName = "mx.example.net", string peer = "192.0.2.7", bool isUtf8 = false) => new()
    {
        ConnectionId = "Abc-_123",
        Peer = new IPEndPoint(IPAddress.Parse(peer), 40000),
        PeerName = peerName,
        ReversePath = sender,
        IsUtf8 = isUtf8,
    };
}
