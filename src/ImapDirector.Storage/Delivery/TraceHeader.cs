using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;

namespace ImapDirector.Storage.Delivery;

/// <summary>What the last server on a message's way writes in front of it (RFC 5321 section 4.4): Return-Path and Received.</summary>
internal static class TraceHeader
{
    /// <summary>Both header fields, folded, each line with its CRLF. Nothing that a value holds begins a line of its own.</summary>
    /// <param name="transaction">The envelope.</param>
    /// <param name="nodeName">Who received it.</param>
    /// <param name="user">For whom.</param>
    /// <param name="now">When.</param>
    public static byte[] Write(LmtpTransaction transaction, string nodeName, UserName user, DateTimeOffset now)
    {
        var protocol = transaction.IsUtf8 ? "UTF8LMTP" : "LMTP";
        var date = now.ToUniversalTime().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes(
            $"Return-Path: <{Printable(transaction.ReversePath)}>\r\n" +
            $"Received: from {Word(transaction.PeerName)} ({Literal(transaction.Peer.Address)})\r\n" +
            $"\tby {Word(nodeName)} with {protocol} id {Word(transaction.ConnectionId)}\r\n" +
            $"\tfor <{user.Value}>; {date}\r\n");
    }

    private static string Literal(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 && !address.IsIPv4MappedToIPv6
        ? $"[IPv6:{address}]"
        : $"[{(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)}]";

    // A sender may be in UTF-8 (RFC 6532); control characters and the separators that some readers take for line ends are in no address.
    private static string Printable(string text) =>
        Replace(text, static letter => !char.IsControl(letter) && letter is not ('\u2028' or '\u2029'));

    private static string Word(string text) =>
        text.Length == 0 ? "unknown" : Replace(text, static letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or ':' or '[' or ']');

    private static string Replace(string text, Func<char, bool> isAllowed) =>
        string.Create(text.Length, (text, isAllowed), static (span, state) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = state.isAllowed(state.text[i]) ? state.text[i] : '?';
        });
}
