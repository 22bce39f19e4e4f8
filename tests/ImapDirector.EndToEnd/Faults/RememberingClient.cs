using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace ImapDirector.EndToEnd.Faults;

/// <summary>Changes two mailboxes of its own at random, and remembers what was acknowledged: that, and nothing else, has to be there.</summary>
internal sealed class RememberingClient(string user, string name, int seed)
{
    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Answered", "kept", "other"];
    // On both sides of where bodies become files, and where a spool does.
    private static readonly int[] Sizes = [300, 5_000, 60_000, 70_000, 140_000, 300_000];

    private readonly Random _random = new(seed);
    private readonly string[] _mailboxes = [name + "-1", name + "-2"];
    private readonly Dictionary<(string Mailbox, uint Uid), (string Digest, SortedSet<string> Flags)> _kept = [];
    private int _sent;
    private Change? _unanswered;

    public int Acknowledged { get; private set; }

    public int Refused { get; private set; }

    /// <summary>Makes the mailboxes.</summary>
    public async Task BeginAsync(IPEndPoint imap)
    {
        await using var session = await NodeSession.LogInAsync(imap, user);
        foreach (var mailbox in _mailboxes) Assert.True((await session.AskAsync($"CREATE {mailbox}")).IsOk);
    }

    /// <summary>Sends commands until it is told to stop.</summary>
    public async Task RunAsync(IPEndPoint imap, CancellationToken stop)
    {
        try
        {
            await ChangeAsync(imap, stop);
        }
        catch (Exception gone) when (stop.IsCancellationRequested && gone is IOException or SocketException)
        {
            // It was killed.
        }
    }

    private async Task ChangeAsync(IPEndPoint imap, CancellationToken stop)
    {
        await using var session = await NodeSession.LogInAsync(imap, user);
        while (!stop.IsCancellationRequested)
        {
            var (here, there) = _random.Next(2) == 0 ? (_mailboxes[0], _mailboxes[1]) : (_mailboxes[1], _mailboxes[0]);
            if (!(await session.AskAsync($"SELECT {here}")).IsOk)
            {
                Refused++;
                continue;
            }
            for (var step = 0; step < 10 && !stop.IsCancellationRequested; step++)
            {
                if (await StepAsync(session, here, there)) Acknowledged++;
                else Refused++;
            }
        }
    }

    /// <summary>Compares what is there with what was acknowledged. A command that the node was killed at was done, or was not.</summary>
    public async Task CheckAsync(IPEndPoint imap)
    {
        var found = await ReadAsync(imap);
        if (_unanswered is { } change)
        {
            _unanswered = null;
            if (!found.SequenceEqual(Expected()))
            {
                var added = found.Keys.Where(key => !_kept.ContainsKey(key)).ToList();
                Assert.Equal(change.AddTo is null ? 0 : 1, added.Count);
                Apply(change, added.SingleOrDefault().Uid);
            }
        }
        Assert.Equal(Expected(), found);
    }

    private IEnumerable<KeyValuePair<(string, uint), (string, string)>> Expected() => _kept.OrderBy(static one => one.Key.Mailbox, StringComparer.Ordinal).ThenBy(static one => one.Key.Uid)
        .Select(static one => KeyValuePair.Create(one.Key, (one.Value.Digest, string.Join(' ', one.Value.Flags))));

    private async Task<SortedDictionary<(string Mailbox, uint Uid), (string, string)>> ReadAsync(IPEndPoint imap)
    {
        await using var session = await NodeSession.LogInAsync(imap, user);
        var found = new SortedDictionary<(string, uint), (string, string)>();
        foreach (var mailbox in _mailboxes)
        {
            Assert.True((await session.AskAsync($"EXAMINE {mailbox}")).IsOk);
            var answer = await session.AskAsync("UID FETCH 1:* (UID FLAGS BODY.PEEK[])");
            Assert.True(answer.IsOk);
            var heads = answer.Lines.Where(static line => line.Contains(" FETCH (", StringComparison.Ordinal)).ToList();
            Assert.Equal(heads.Count, answer.Literals.Count);
            foreach (var (head, literal) in heads.Zip(answer.Literals))
            {
                var uid = head[(head.IndexOf("UID ", StringComparison.Ordinal) + 4)..].Split(' ')[0];
                var flags = head[(head.IndexOf("FLAGS (", StringComparison.Ordinal) + 7)..].Split(')')[0];
                found.Add((mailbox, uint.Parse(uid, CultureInfo.InvariantCulture)),
                    (Digest(literal), string.Join(' ', flags.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(static flag => flag != "\\Recent").Order(StringComparer.Ordinal))));
            }
        }
        return found;
    }

    public static string Digest(byte[] bytes) => Convert.ToHexString(SHA256.HashData(bytes));

    private async Task<bool> StepAsync(NodeSession session, string here, string there)
    {
        var uids = _kept.Keys.Where(key => key.Mailbox == here).Select(static key => key.Uid).ToArray();
        if (uids.Length == 0 || (uids.Length < 40 && _random.Next(3) == 0)) return await AppendAsync(session, here);
        var uid = uids[_random.Next(uids.Length)];
        var flag = Flags[_random.Next(Flags.Length)];
        return _random.Next(6) switch
        {
            0 => await StoreAsync(session, (here, uid), $"+FLAGS ({flag})", flags => flags.Add(flag)),
            1 => await StoreAsync(session, (here, uid), $"-FLAGS ({flag})", flags => flags.Remove(flag)),
            2 => await CopyAsync(session, "COPY", (here, uid), there),
            3 => await CopyAsync(session, "MOVE", (here, uid), there),
            _ => await StoreAsync(session, (here, uid), "+FLAGS (\\Deleted)", static flags => flags.Add("\\Deleted"))
                && await TryAsync(session, $"UID EXPUNGE {uid}", new Change((here, uid), null, "", [])),
        };
    }

    private Task<bool> AppendAsync(NodeSession session, string mailbox)
    {
        var message = Mail.Message($"{name} {++_sent}", Sizes[_random.Next(Sizes.Length)]);
        var flag = Flags[_random.Next(Flags.Length)];
        return TryAsync(session, $"APPEND {mailbox} ({flag}) {{{message.Length}+}}\r\n{message}", new Change(null, mailbox, Digest(Encoding.Latin1.GetBytes(message)), [flag]), ("APPENDUID", 1));
    }

    private Task<bool> StoreAsync(NodeSession session, (string Mailbox, uint Uid) message, string what, Func<SortedSet<string>, bool> apply)
    {
        var (digest, before) = _kept[message];
        var flags = new SortedSet<string>(before, StringComparer.Ordinal);
        apply(flags);
        return TryAsync(session, $"UID STORE {message.Uid} {what}", new Change(message, null, digest, flags) { IsKept = true });
    }

    private Task<bool> CopyAsync(NodeSession session, string command, (string Mailbox, uint Uid) from, string to)
    {
        var (digest, flags) = _kept[from];
        return TryAsync(session, $"UID {command} {from.Uid} {to}", new Change(command == "MOVE" ? from : null, to, digest, flags), ("COPYUID", 2));
    }

    private async Task<bool> TryAsync(NodeSession session, string command, Change change, (string Code, int Word) uid = default)
    {
        _unanswered = change;
        var answer = await session.AskAsync(command);
        _unanswered = null;
        if (answer.IsOk) Apply(change, uid.Code is null ? 0 : uint.Parse(answer.Code(uid.Code)[uid.Word], CultureInfo.InvariantCulture));
        return answer.IsOk;
    }

    private void Apply(Change change, uint addedUid)
    {
        if (change.Message is { } message) _kept.Remove(message);
        if (change.IsKept) _kept.Add(change.Message!.Value, (change.Digest, new SortedSet<string>(change.Flags, StringComparer.Ordinal)));
        if (change.AddTo is { } mailbox) _kept.Add((mailbox, addedUid), (change.Digest, new SortedSet<string>(change.Flags, StringComparer.Ordinal)));
    }

    /// <summary>What a command does.</summary>
    /// <param name="Message">The message that goes, or changes its flags.</param>
    /// <param name="AddTo">The mailbox that gets one.</param>
    /// <param name="Digest">Of what is added or changed.</param>
    /// <param name="Flags">Those it has afterwards.</param>
    private sealed record Change((string Mailbox, uint Uid)? Message, string? AddTo, string Digest, IReadOnlyCollection<string> Flags)
    {
        /// <summary>Whether the message only changes its flags.</summary>
        public bool IsKept { get; init; }
    }
}
