using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions.Stress;

internal enum StressKind
{
    Plain,
    CondStore,
    QResync,
}

/// <summary>A client that does random things. While it is alone at work each step is done to the model as well, and its view has to be the model's afterwards.</summary>
internal sealed partial class StressClient(StressKind kind, string name, Random random, IReadOnlyDictionary<string, ModelMailbox> model, Action<string> log) : IAsyncDisposable
{
    // What a client with QRESYNC keeps of the mailboxes it has left.
    private readonly Dictionary<string, (uint UidValidity, ulong ModSeq, List<SeenMessage> Messages)> _remembered = [];
    private readonly StressView _view = new();
    private ImapClient? _client;
    private ModelMailbox? _mailbox;
    private bool _isIdle;

    public bool IsIdle => _isIdle;

    private bool UsesModSeqs => kind != StressKind.Plain;

    private bool HasUnknown => _mailbox is not null && _view.Messages.Any(static message => message.Uid == 0 || message.Flags is null);

    public async Task ConnectAsync(RunningNode node)
    {
        _client = await node.LogInAsync();
        if (UsesModSeqs) await RunAsync(kind == StressKind.CondStore ? "ENABLE CONDSTORE" : "ENABLE QRESYNC");
    }

    /// <summary>The connection is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        Leave();
        _isIdle = false;
        if (_client is not null) await _client.DisposeAsync();
    }

    /// <param name="isAlone">Whether nobody else is at work, so that the model can be asked.</param>
    /// <returns>Whether the model has to be read anew.</returns>
    public async Task<bool> StepAsync(bool isAlone)
    {
        if (_isIdle) await EndIdleAsync();
        // While it asked for what was new, somebody has added more.
        else if (HasUnknown) await FetchUnknownAsync();
        else if (_mailbox is null) await SelectAsync(model.Values.ElementAt(random.Next(model.Count)), isAlone);
        else if (random.Next(25) == 0) await ChangeMailboxAsync(isAlone);
        else if (random.Next(20) == 0)
        {
            await BeginIdleAsync();
            return false;
        }
        else if (Choose(isAlone) is var command)
        {
            await RunAsync(command.Text);
            if (isAlone && command.TouchesLost) return true;
            if (isAlone) command.Effect?.Invoke();
            if (isAlone) command.Check?.Invoke();
        }
        if (isAlone) CheckView(mayLag: true);
        await FetchUnknownAsync();
        if (isAlone) CheckView(mayLag: true);
        return false;
    }

    /// <summary>After this the view has to be what is there.</summary>
    public async Task SettleAsync()
    {
        if (_isIdle) await EndIdleAsync();
        if (_mailbox is null) return;
        await RunAsync("NOOP");
        await FetchUnknownAsync();
    }

    /// <param name="mayLag">Whether messages that are gone may still be in the view.</param>
    public void CheckView(bool mayLag)
    {
        if (_mailbox is not { } mailbox) return;
        foreach (var (uid, modSeq) in _view.ToldModSeqs.GroupBy(static told => told.Uid).Select(static told => told.Last()))
        {
            if (mailbox.Find(uid) is not { } message) continue;
            message.Told(modSeq, $"{name} in {mailbox.Name}");
        }
        _view.ToldModSeqs.Clear();
        foreach (var seen in _view.Messages)
            if (seen.Uid > 0 && mailbox.Find(seen.Uid) is { } message && message.ModSeq == seen.ModSeq) seen.Version = message.Version;
        if (!mayLag && UsesModSeqs) Assert.All(_view.Messages, seen => Assert.True(mailbox.Find(seen.Uid)?.ModSeq == seen.ModSeq, $"{name}: UID {seen.Uid} is told with mod-sequence {seen.ModSeq}"));
        // What waits for its UID is fetched next, and what is new is not here before.
        if (mayLag && _view.Messages.Any(static message => message.Uid == 0)) return;
        var told = _view.Messages.Where(message => !mayLag || mailbox.Find(message.Uid) is not null).Select(static message => $"{message.Uid}: {message.Flags}");
        var view = string.Join('\n', told);
        Assert.True(mailbox.Describe() == view, $"{name} sees in {mailbox.Name}\n{view}\nand there is\n{mailbox.Describe()}");
    }

    private async Task ChangeMailboxAsync(bool isAlone)
    {
        switch (random.Next(4))
        {
            case 0:
                var effect = ExpungeOf(_view.Messages);
                await RunAsync("CLOSE");
                if (isAlone) effect();
                Leave();
                break;
            case 1:
                await RunAsync("UNSELECT");
                Leave();
                break;
            default:
                await SelectAsync(model.Values.ElementAt(random.Next(model.Count)), isAlone);
                break;
        }
    }

    private async Task SelectAsync(ModelMailbox mailbox, bool isAlone)
    {
        var command = $"SELECT {mailbox.Name}";
        Leave();
        List<SeenMessage>? remembered = null;
        if (_remembered.TryGetValue(mailbox.Name, out var known) && known.Messages.Count > 0)
        {
            remembered = known.Messages;
            command += string.Create(CultureInfo.InvariantCulture, $" (QRESYNC ({known.UidValidity} {known.ModSeq}))");
        }
        _view.BeginCommand();
        var lines = await SendAsync(command);
        // What comes before CLOSED is of the mailbox that was selected before.
        var first = lines.FindIndex(static line => line.StartsWith("* OK [CLOSED]", StringComparison.Ordinal)) + 1;
        _view.Begin(kind == StressKind.QResync, remembered);
        _mailbox = mailbox;
        foreach (var line in lines.Skip(first).SkipLast(1)) _view.Learn(line, mayExpunge: true, command);
        _view.EndResynchronising($"{name}: {command}");
        Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
        if (isAlone)
        {
            mailbox.ToldUidValidity(_view.UidValidity);
            mailbox.ToldHighestModSeq(_view.HighestModSeq);
        }
        // A view that was resynchronised is whole; another is to be fetched.
        if (remembered is null) await FetchUnknownAsync();
    }

    private void Leave()
    {
        if (_mailbox is { } left && kind == StressKind.QResync)
            _remembered[left.Name] = (_view.UidValidity, _view.HighestModSeq, [.. _view.Messages.Where(static message => message.Uid > 0 && message.Flags is not null).Select(static message => message.Copy())]);
        _mailbox = null;
    }

    private async Task BeginIdleAsync()
    {
        log($"{name}> IDLE");
        _view.BeginCommand();
        await _client!.SendLineAsync("idle IDLE");
        while (await _client.ReadLineAsync() is { } line && !line.StartsWith('+')) Learn(line, "IDLE");
        _isIdle = true;
    }

    private async Task EndIdleAsync()
    {
        log($"{name}> DONE");
        _isIdle = false;
        await _client!.SendLineAsync("DONE");
        var lines = await _client.ReadAnswerAsync("idle");
        foreach (var line in lines.SkipLast(1)) Learn(line, "IDLE");
        Assert.StartsWith("OK ", lines[^1], StringComparison.Ordinal);
    }

    private async Task FetchUnknownAsync()
    {
        if (HasUnknown)
            await RunAsync(UsesModSeqs ? "UID FETCH 1:* (FLAGS MODSEQ)" : "UID FETCH 1:* (FLAGS)");
    }

    private async Task RunAsync(string command)
    {
        _view.BeginCommand();
        var lines = await SendAsync(command);
        foreach (var line in lines.SkipLast(1)) Learn(line, command);
        Assert.True(lines[^1].StartsWith("OK ", StringComparison.Ordinal) || SomeAreGone().IsMatch(lines[^1]), $"{name}: {command}: {lines[^1]}");
        _view.LearnEnd(lines[^1]);
    }

    private async Task<List<string>> SendAsync(string command)
    {
        log($"{name}> {command}");
        var lines = await _client!.CommandAsync(command);
        foreach (var line in lines) log($"{name}< {line}");
        return lines;
    }

    private void Learn(string line, string command)
    {
        // Numbers may not change while the client still counts by them (RFC 9051 section 7.5.1).
        var mayExpunge = !(command.StartsWith("FETCH", StringComparison.Ordinal) || command.StartsWith("STORE", StringComparison.Ordinal) || command.StartsWith("SEARCH", StringComparison.Ordinal));
        if (StatusLine().Match(line) is { Success: true } status) _status = status;
        else _view.Learn(line, mayExpunge, $"{name}: {command}");
    }

    // Some changed and others are gone: RFC 7162 section 3.1.3 has one code for both.
    [GeneratedRegex(@"^NO \[(?:EXPUNGEISSUED|MODIFIED [\d:,]+)\] Some of the messages no longer exist")]
    private static partial Regex SomeAreGone();
}
