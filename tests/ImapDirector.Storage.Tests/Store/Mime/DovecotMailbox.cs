using System.Text;
using ImapDirector.Storage.Tests.Sessions;
using ImapDirector.Tests.Shared;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>A mailbox of Dovecot's, asked what it tells of messages.</summary>
internal sealed class DovecotMailbox : IAsyncDisposable
{
    private readonly ImapClient _client;
    private int _messages;

    private DovecotMailbox(ImapClient client) => _client = client;

    public static async Task<DovecotMailbox> OpenAsync(DovecotServer server, string user)
    {
        var client = await ImapClient.ConnectAsync(server.EndPoint);
        await client.ReadLineAsync();
        await client.OkAsync($"LOGIN {user} x");
        return new DovecotMailbox(client);
    }

    /// <summary>Adds messages, byte for character.</summary>
    public async Task AppendAsync(IEnumerable<string> messages)
    {
        foreach (var message in messages)
        {
            await _client.AppendAsync("INBOX", message);
            _messages++;
        }
        await _client.OkAsync("SELECT INBOX");
    }

    /// <summary>Asks for data items of the message of that place, the first being 1.</summary>
    /// <returns>The parenthesised answer, with its strings as <see cref="ImapValue"/> prints them.</returns>
    public async Task<string> FetchAsync(int place, string items)
    {
        await _client.SendLineAsync($"f FETCH {place} ({items})");
        var answer = new MemoryStream();
        while (true)
        {
            var line = await _client.ReadLineAsync() ?? throw new EndOfStreamException();
            if (line.StartsWith("f ", StringComparison.Ordinal)) break;
            answer.Write(Encoding.Latin1.GetBytes(line));
            while (line.EndsWith('}') && line.LastIndexOf('{') is >= 0 and var brace)
            {
                answer.Write("\r\n"u8);
                answer.Write(await _client.ReadBytesAsync(int.Parse(line[(brace + 1)..^1])));
                line = (await _client.ReadLineAsync())!;
                answer.Write(Encoding.Latin1.GetBytes(line));
            }
        }
        var prefix = $"* {place} FETCH ";
        return ImapValue.Parse(answer.ToArray()[prefix.Length..]).ToString();
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();
}
