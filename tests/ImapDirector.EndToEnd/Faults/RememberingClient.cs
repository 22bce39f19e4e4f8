using System.Globalization;
using System.Net;
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

    /// <summary>Compares what is there with what was acknowledged.</summary>
    public async Task CheckAsync(IPEndPoint imap)
    {
        await using var session = await NodeSession.LogInAsync(imap, user);
        foreach (var mailbox in _mailboxes)
        {
            Assert.True((await session.AskAsync($"EXAMINE {mailbox}")).IsOk);
            var found = new SortedDictionary<uint, (string, string)>();
            var answer = await session.AskAsync("UID FETCH 1:* (UID FLAGS BODY.PEEK[])");
            Assert.True(answer.IsOk);
            var heads = answer.Lines.Where(static line => line.Contains(" FETCH (", StringComparison.Ordinal)).ToList();
            Assert.Equal(heads.Count, answer.Literals.Count);
            foreach (var (head, literal) in heads.Zip(answer.Literals))
            {
                var uid = head[(head.IndexOf("UID ", StringComparison.Ordinal) + 4)..].Split(' ')[0];
                var flags = head[(head.IndexOf("FLAGS (", StringComparison.Ordinal) + 7)..].Split(')')[0];
                found.Add(uint.Parse(uid, CultureInfo.InvariantCulture),
                    (Digest(literal), string.Join(' ', flags.Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(static flag => flag != "\\Recent").Order(StringComparer.Ordinal))));
            }
            var expected = _kept.Where(one => one.Key.Mailbox == mailbox).OrderBy(static one => one.Key.Uid)
                .Select(static one => KeyValuePair.Create(one.Key.Uid, (one.Value.Digest, string.Join(' ', one.Value.Flags))));
            Assert.Equal(expected, found);
        }
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
            0 => await StoreAsync(session, here, uid, $"+FLAGS ({flag})", flags => flags.Add(flag)),
            1 => await StoreAsync(session, here, uid, $"-FLAGS ({flag})", flags => flags.Remove(flag)),
            2 => await CopyAsync(session, "COPY", (here, uid), there),
            3 => await CopyAsync(session, "MOVE", (here, uid), there),
            _ => await ExpungeAsync(session, (here, uid)),
        };
    }

    private async Task<bool> AppendAsync(NodeSession session, string mailbox)
    {
        var message = Mail.Message($"{name} {++_sent}", Sizes[_random.Next(Sizes.Length)]);
        var flag = Flags[_random.Next(Flags.Length)];
        var answer = await session.AskAsync($"APPEND {mailbox} ({flag}) {{{message.Length}+}}\r\n{message}");
        if (answer.IsOk)
            _kept.Add((mailbox, uint.Parse(answer.Code("APPENDUID")[1], CultureInfo.InvariantCulture)), (Digest(Encoding.Latin1.GetBytes(message)), new SortedSet<string>(StringComparer.Ordinal) { flag }));
        return answer.IsOk;
    }

    private async Task<bool> StoreAsync(NodeSession session, string mailbox, uint uid, string change, Func<SortedSet<string>, bool> apply)
    {
        var isOk = (await session.AskAsync($"UID STORE {uid} {change}")).IsOk;
        if (isOk) apply(_kept[(mailbox, uid)].Flags);
        return isOk;
    }

    private async Task<bool> CopyAsync(NodeSession session, string command, (string Mailbox, uint Uid) from, string to)
    {
        var answer = await session.AskAsync($"UID {command} {from.Uid} {to}");
        if (!answer.IsOk) return false;
        var (digest, flags) = _kept[from];
        _kept.Add((to, uint.Parse(answer.Code("COPYUID")[2], CultureInfo.InvariantCulture)), (digest, new SortedSet<string>(flags, StringComparer.Ordinal)));
        if (command == "MOVE") _kept.Remove(from);
        return true;
    }

    private async Task<bool> ExpungeAsync(NodeSession session, (string Mailbox, uint Uid) message)
    {
        if (!await StoreAsync(session, message.Mailbox, message.Uid, "+FLAGS (\\Deleted)", static flags => flags.Add("\\Deleted"))) return false;
        var isOk = (await session.AskAsync($"UID EXPUNGE {message.Uid}")).IsOk;
        if (isOk) _kept.Remove(message);
        return isOk;
    }
}
