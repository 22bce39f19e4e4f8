using System.Net;
using System.Net.Sockets;
using ImapDirector.Network;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Tests.Store;
using Prometheus;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>What a session is told of changes is work as well: it waits for a turn while others of the user have theirs (limits N16).</summary>
public sealed class TellingInTurnsTests : IAsyncDisposable
{
    private readonly ProcessTurns _all = new();
    private readonly SemaphoreSlim _alices = new(1);
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private Connection? _connection;
    private ResponseStream? _output;

    public async ValueTask DisposeAsync()
    {
        _output?.Dispose();
        if (_connection is not null) await _connection.DisposeAsync();
        _listener.Dispose();
        _all.Dispose();
        _alices.Dispose();
    }

    [Fact]
    public async Task A_result_that_is_kept_up_to_date_is_looked_after_in_turns()
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var mail = NewMail(user);
        var output = await OpenOutputAsync();
        var (selected, shared) = await SelectAsync(mail);
        var contexts = selected.Contexts;
        contexts.Begin(TimeSpan.FromHours(1));
        contexts.Add(new WantedContext("a", ByUid: true, new TextKey(IncludeHeader: false, "needle"), [], []), []);
        var large = await user.AddAsync("INBOX", "Subject: x\r\n\r\nneedle\r\n" + new string('x', (int)WorkTurns.LongBytes));
        shared.Added([large]);

        await _alices.WaitAsync();
        var telling = selected.TellAsync(output, mayExpunge: true).AsTask();
        Assert.False(telling.IsCompleted);
        _alices.Release();
        Assert.True(await telling);
        output.Turns!.End();
        Assert.Equal(1, _alices.CurrentCount);
    }

    [Fact]
    public async Task Changed_flags_are_told_in_turns()
    {
        await using var user = await StoreFixture.OpenAsync();
        await using var mail = NewMail(user);
        var output = await OpenOutputAsync();
        var message = await user.AddAsync("INBOX", "Subject: x\r\n\r\n");
        var (selected, shared) = await SelectAsync(mail);
        shared.FlagsChanged([message with { Flags = SystemFlags.Seen, ModSeq = message.ModSeq + 1 }], origin: null);

        await _alices.WaitAsync();
        // The first moment is free.
        await Task.Delay(30);
        var telling = selected.TellAsync(output, mayExpunge: true).AsTask();
        Assert.False(telling.IsCompleted);
        _alices.Release();
        Assert.True(await telling);
        output.Turns!.End();
        Assert.Equal(1, _alices.CurrentCount);
    }

    private static UserMail NewMail(StoreFixture user) => new(user.Store, new StorageMetrics(Metrics.WithCustomRegistry(Metrics.NewCustomRegistry())));

    private async Task<ResponseStream> OpenOutputAsync()
    {
        _listener.Start();
        _connection = await Connection.ConnectAsync(_listener.LocalEndpoint, CancellationToken.None);
        return _output = new ResponseStream(_connection, TimeSpan.FromSeconds(30)) { Turns = NewTurns() };
    }

    private WorkTurns NewTurns()
    {
        var turns = new WorkTurns(_all, _alices);
        turns.Begin();
        return turns;
    }

    private static async Task<(SelectedMailbox Selected, SharedMailbox Shared)> SelectAsync(UserMail mail)
    {
        var cursor = new MailboxCursor(readOnly: true);
        var (shared, uids) = (await mail.OpenAsync(MailboxName.Inbox, cursor))!.Value;
        return (new SelectedMailbox(shared, MailboxAccess.Own(mail, MailboxName.Inbox), cursor, uids, new EnabledExtensions()), shared);
    }
}
