using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using ImapDirector.Network;
using ImapDirector.Network.Lmtp;
using ImapDirector.Protocol;
using ImapDirector.Protocol.Lmtp;

namespace ImapDirector.Director.Delivery;

/// <summary>LMTP as the sender speaks it (RFC 2033) for one message to one node. What the node says is bounded (limits R3).</summary>
/// <param name="stream">The connection; disposed with this.</param>
internal sealed class NodeConversation(Stream stream) : IAsyncDisposable
{
    private const int MaxLineBytes = 4096;
    private static readonly LmtpReply TakesNone = new(451, "4.3.5", "The user's node takes no assertions");
    private static readonly LmtpReply RefusesUs = new(451, "4.3.0", "The user's node refuses deliveries, try again later");
    private const int MaxReplyLines = 64;
    private const int Closing = 421;
    private const int GoAhead = 354;
    // What a socket takes without being read from, on either side, whatever the addresses: nobody waits for the other then.
    private const int MaxPipelined = 50;

    private readonly PipeReader _input = PipeReader.Create(stream);
    private readonly PipeWriter _output = PipeWriter.Create(stream);
    private readonly List<string> _extensions = [];
    private bool _isWelcome;

    /// <summary>As far as nothing is said of a message: the greeting and LHLO.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The connection broke, or the node does not speak LMTP.</exception>
    /// <exception cref="OperationCanceledException">The token fired: it is the limit of time as well.</exception>
    public async Task GreetAsync(CancellationToken cancellationToken) =>
        _isWelcome = (await ReadReplyAsync(null, cancellationToken)).IsSuccess && (await AskAsync("LHLO imapdirector", _extensions, cancellationToken)).IsSuccess;

    /// <summary>Delivers behind <see cref="GreetAsync"/>, filling in a reply for each user as it becomes known.</summary>
    /// <param name="users">To whom.</param>
    /// <param name="assertion">Makes what is said of each, or <c>null</c> where nothing is.</param>
    /// <param name="transaction">The envelope.</param>
    /// <param name="message">The message.</param>
    /// <param name="replies">A reply for each user.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">The connection broke, or the node does not speak LMTP. What is not filled in by then was not delivered, as far as we know.</exception>
    /// <exception cref="OperationCanceledException">The token fired: it is the limit of time as well.</exception>
    public async Task RunAsync(IReadOnlyList<UserName> users, Func<int, string>? assertion, LmtpTransaction transaction, MessageSpool message, LmtpReply[] replies, CancellationToken cancellationToken)
    {
        if (_isWelcome && assertion is not null && !Offers("XASSERTION"))
        {
            Array.Fill(replies, TakesNone);
            await QuitAsync(cancellationToken);
            return;
        }
        // A greeting or LHLO that is refused, for good or not, is about this director, and must not bounce anybody's mail.
        var mail = _isWelcome ? await AskAsync(MailFrom(transaction, message.Length), null, cancellationToken) : RefusesUs;
        if (!mail.IsSuccess)
        {
            // The node as a whole refuses: what it says about the sender is said to every recipient.
            Array.Fill(replies, mail);
            await QuitAsync(cancellationToken);
            return;
        }
        var accepted = new List<int>();
        // With PIPELINING (RFC 2920) the answers are waited for once for many.
        var together = Offers("PIPELINING") ? MaxPipelined : 1;
        for (var start = 0; start < users.Count; start += together)
        {
            var end = Math.Min(start + together, users.Count);
            for (var i = start; i < end; i++) Write($"RCPT TO:<{users[i].Value}>{(assertion is null ? "" : " XASSERTION=" + assertion(i))}");
            await _output.FlushAsync(cancellationToken);
            for (var i = start; i < end; i++)
            {
                // What the node accepts is not delivered yet: only a refusal is an answer already.
                var rcpt = await ReadReplyAsync(null, cancellationToken);
                if (rcpt.IsSuccess) accepted.Add(i);
                else replies[i] = rcpt;
            }
        }
        if (accepted.Count > 0) await SendDataAsync(accepted, message, replies, cancellationToken);
        await QuitAsync(cancellationToken);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _input.CompleteAsync();
        await _output.CompleteAsync();
        await stream.DisposeAsync();
    }

    private string MailFrom(LmtpTransaction transaction, long size)
    {
        var command = new StringBuilder("MAIL FROM:<").Append(transaction.ReversePath).Append('>');
        if (Offers("SIZE")) command.Append(CultureInfo.InvariantCulture, $" SIZE={size}");
        if (transaction.Is8Bit && Offers("8BITMIME")) command.Append(" BODY=8BITMIME");
        if (transaction.IsUtf8 && Offers("SMTPUTF8")) command.Append(" SMTPUTF8");
        return command.ToString();
    }

    private bool Offers(string name) => _extensions.Exists(line => line.Equals(name, StringComparison.OrdinalIgnoreCase)
        || line.StartsWith(name + " ", StringComparison.OrdinalIgnoreCase));

    private async Task SendDataAsync(List<int> accepted, MessageSpool message, LmtpReply[] replies, CancellationToken cancellationToken)
    {
        var data = await AskAsync("DATA", null, cancellationToken, GoAhead);
        if (data.IsSuccess) throw new IOException("The node did not want the message.");
        if (data.Code != GoAhead)
        {
            foreach (var i in accepted) replies[i] = data;
            return;
        }
        await using (var body = message.OpenRead()) await DotStuffing.WriteAsync(body, _output, cancellationToken);
        await _output.FlushAsync(cancellationToken);
        foreach (var i in accepted) replies[i] = await ReadReplyAsync(null, cancellationToken);
    }

    // Good manners only: every reply is known by now, and none may be lost to what happens here.
    private async Task QuitAsync(CancellationToken cancellationToken)
    {
        try
        {
            _output.Write("QUIT\r\n"u8);
            await _output.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
            // The node has hung up already.
        }
    }

    private async Task<LmtpReply> AskAsync(string command, List<string>? lines, CancellationToken cancellationToken, int alsoExpected = 0)
    {
        // A command is one line whatever an address may carry.
        if (command.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0) return new LmtpReply(501, "5.1.7", "Bad address");
        Write(command);
        await _output.FlushAsync(cancellationToken);
        return await ReadReplyAsync(lines, cancellationToken, alsoExpected);
    }

    private void Write(string command)
    {
        Encoding.UTF8.GetBytes(command, _output);
        _output.Write("\r\n"u8);
    }

    private async Task<LmtpReply> ReadReplyAsync(List<string>? lines, CancellationToken cancellationToken, int alsoExpected = 0)
    {
        for (var count = 0; count < MaxReplyLines; count++)
        {
            var line = await ReadLineAsync(cancellationToken);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
                || code is < 200 or > 599 || (code is >= 300 and < 400 && code != alsoExpected) || (line.Length > 3 && line[3] is not (' ' or '-')))
                throw new IOException("The node's reply is no LMTP.");
            var text = line.Length > 4 ? line[4..] : "";
            lines?.Add(text);
            if (line.Length == 3 || line[3] == ' ') return Reply(code, text);
        }
        throw new IOException("The node's reply has too many lines.");
    }

    private async Task<string> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _input.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = read.Buffer.Slice(0, end);
                if (line.Length > MaxLineBytes) throw new IOException("The node's reply is too long.");
                var text = Encoding.UTF8.GetString(line).TrimEnd('\r');
                _input.AdvanceTo(read.Buffer.GetPosition(1, end));
                return text;
            }
            if (read.Buffer.Length > MaxLineBytes) throw new IOException("The node's reply is too long.");
            _input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted) throw new IOException("The node closed the connection.");
        }
    }

    private static LmtpReply Reply(int code, string text)
    {
        // The node closes its connection to us. Said to the sender, it would be about the sender's: who then hangs up loses what others' nodes have answered, and sends it to them again.
        if (code == Closing) code = 451;
        var space = text.IndexOf(' ');
        var first = space < 0 ? text : text[..space];
        var isEnhanced = first.Length is >= 5 and <= 9 && first[0] == (char)('0' + code / 100) && first.Count(c => c == '.') == 2
            && first.All(c => char.IsAsciiDigit(c) || c == '.');
        return isEnhanced ? new LmtpReply(code, first, space < 0 ? "" : text[(space + 1)..]) : new LmtpReply(code, "", text);
    }
}
