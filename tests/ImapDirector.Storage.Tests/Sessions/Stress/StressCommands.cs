using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace ImapDirector.Storage.Tests.Sessions.Stress;

/// <summary>Which commands a client chooses from, and what each does to the model.</summary>
internal sealed partial class StressClient
{
    private const int ManyMessages = 40;

    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$One", "$Two"];

    private Match? _status;

    /// <param name="Text">The command.</param>
    /// <param name="Effect">What it does to the model.</param>
    /// <param name="Check">What its answer has to be.</param>
    /// <param name="TouchesLost">Whether it names messages that are gone, so that nobody can say what it does to the others.</param>
    private readonly record struct StressCommand(string Text, Action? Effect = null, Action? Check = null, bool TouchesLost = false);

    private StressCommand Choose(bool isAlone)
    {
        if (_view.Messages.Count > ManyMessages) return DeleteMany();
        if (_view.Messages.Count == 0 || random.Next(8) == 0) return Append();
        return random.Next(12) switch
        {
            0 or 1 or 2 => Store(isAlone),
            3 => UsesModSeqs ? StoreUnchanged() : Store(isAlone),
            4 or 5 => Copy(),
            6 => Expunge(),
            7 => Fetch(),
            8 or 9 => Search(),
            10 => Status(isAlone),
            _ => new StressCommand(random.Next(2) == 0 ? "NOOP" : "CHECK"),
        };
    }

    private StressCommand Append()
    {
        var target = model.Values.ElementAt(random.Next(model.Count));
        var (message, flag) = ($"Subject: {random.Next()}\r\n\r\n", Flags[random.Next(Flags.Length)]);
        return new StressCommand($"APPEND {target.Name} ({flag}) {{{message.Length}+}}\r\n{message}", () => target.Add([flag]));
    }

    private StressCommand DeleteMany()
    {
        var half = _view.Messages.Take(_view.Messages.Count / 2).ToList();
        if (half.All(static message => message.Flags!.Contains("\\Deleted", StringComparison.Ordinal))) return Expunge(ofAll: true);
        return new StressCommand($"UID STORE {Uids(half)} +FLAGS (\\Deleted)", () => Change(half, "+", "\\Deleted"), TouchesLost: AnyLost(half));
    }

    private StressCommand Store(bool isAlone)
    {
        var (targets, set, uid) = Target();
        var (sign, flag) = (random.Next(5) switch { 0 or 1 => "+", 2 or 3 => "-", _ => "" }, random.Next(4) == 0 ? "\\Deleted" : Flags[random.Next(Flags.Length)]);
        // Without an answer, only who is alone knows what has come of it.
        var isSilent = isAlone && random.Next(3) == 0 && !AnyLost(targets);
        return new StressCommand($"{uid}STORE {set} {sign}FLAGS{(isSilent ? ".SILENT" : "")} ({flag})", () =>
        {
            Change(targets, sign, flag);
            if (isSilent) foreach (var target in targets) target.Flags = _mailbox!.Find(target.Uid)!.Text;
        }, TouchesLost: AnyLost(targets));
    }

    private StressCommand StoreUnchanged()
    {
        var (targets, set, uid) = Target();
        var (since, flag) = (targets.Min(static target => target.ModSeq), Flags[random.Next(Flags.Length)]);
        var firstNumber = _view.Messages.IndexOf(targets[0]) + 1;
        return new StressCommand(string.Create(CultureInfo.InvariantCulture, $"{uid}STORE {set} (UNCHANGEDSINCE {since}) +FLAGS ({flag})"), () =>
        {
            var (unchanged, modified) = (new List<SeenMessage>(), new List<uint>());
            for (var i = 0; i < targets.Count; i++)
            {
                // The version is that at the time when the client heard of this mod-sequence.
                if (targets[i].ModSeqBefore <= since && targets[i].VersionBefore == _mailbox!.Find(targets[i].Uid)!.Version) unchanged.Add(targets[i]);
                else modified.Add(uid.Length > 0 ? targets[i].Uid : (uint)(firstNumber + i));
            }
            Assert.Equal(modified.Order(), _view.Modified.Order());
            Change(unchanged, "+", flag);
        }, TouchesLost: AnyLost(targets));
    }

    private StressCommand Copy()
    {
        var (targets, set, uid) = Target();
        var (target, moves) = (model.Values.ElementAt(random.Next(model.Count)), random.Next(2) == 0);
        return new StressCommand($"{uid}{(moves ? "MOVE" : "COPY")} {set} {target.Name}", () =>
        {
            foreach (var copied in targets.Select(copied => _mailbox!.Find(copied.Uid)!).ToList()) target.Add(copied.Flags);
            if (moves) _mailbox!.Expunge(message => targets.Any(moved => moved.Uid == message.Uid));
        }, TouchesLost: AnyLost(targets));
    }

    private StressCommand Expunge(bool ofAll = false)
    {
        if (ofAll || random.Next(2) == 0) return new StressCommand("EXPUNGE", ExpungeOf(_view.Messages));
        var (targets, _, _) = Target();
        return new StressCommand($"UID EXPUNGE {Uids(targets)}", ExpungeOf(targets));
    }

    /// <summary>What came and was not told of yet stays, whatever its flags are.</summary>
    private Action ExpungeOf(IEnumerable<SeenMessage> messages)
    {
        var (mailbox, uids) = (_mailbox!, messages.Select(static message => message.Uid).ToHashSet());
        return () => mailbox.Expunge(message => uids.Contains(message.Uid) && message.Flags.Contains("\\Deleted"));
    }

    private StressCommand Fetch()
    {
        var (_, set, uid) = Target();
        if (!UsesModSeqs) return new StressCommand($"{uid}FETCH {set} (UID FLAGS)");
        var since = _view.Messages.Max(static message => message.ModSeq);
        return random.Next(3) switch
        {
            0 => new StressCommand(string.Create(CultureInfo.InvariantCulture, $"{uid}FETCH {set} (FLAGS) (CHANGEDSINCE {Math.Max(1, since - (ulong)random.Next((int)Math.Min(since, 10)))})")),
            1 when kind == StressKind.QResync => new StressCommand(string.Create(CultureInfo.InvariantCulture, $"UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since} VANISHED)")),
            _ => new StressCommand($"{uid}FETCH {set} (UID FLAGS MODSEQ)"),
        };
    }

    private StressCommand Search()
    {
        var (uid, flag) = (random.Next(2) == 0 ? "UID " : "", random.Next(2) == 0 ? "$One" : "\\Deleted");
        var before = _view.Messages.Select(static message => message.Uid).ToList();
        var key = flag == "$One" ? "KEYWORD $One" : "DELETED";
        return new StressCommand($"{uid}SEARCH {key}", null, () =>
        {
            var found = _view.Found.Select(number => uid.Length > 0 ? number : _view.Messages[(int)number - 1].Uid).ToList();
            var there = before.Where(known => _mailbox!.Find(known) is not null).ToHashSet();
            // Of those that are gone, and of those that nobody has told of yet, either is right.
            Assert.Equal(there.Where(known => _mailbox!.Find(known)!.Flags.Contains(flag)).Order(), found.Where(there.Contains).Order());
        });
    }

    private StressCommand Status(bool isAlone)
    {
        var others = model.Values.Where(mailbox => mailbox != _mailbox).ToList();
        var asked = others[random.Next(others.Count)];
        return new StressCommand($"STATUS {asked.Name} (MESSAGES UIDNEXT UNSEEN DELETED{(UsesModSeqs ? " HIGHESTMODSEQ" : "")})", null, () =>
        {
            Assert.True(isAlone && _status is not null);
            var expected = $"{asked.Messages.Count} {asked.UidNext} {asked.Messages.Count(static message => !message.Flags.Contains("\\Seen"))} {asked.Messages.Count(static message => message.Flags.Contains("\\Deleted"))}";
            Assert.Equal(expected, $"{_status.Groups["messages"].Value} {_status.Groups["uidnext"].Value} {_status.Groups["unseen"].Value} {_status.Groups["deleted"].Value}");
            if (_status.Groups["modseq"].Success) asked.ToldHighestModSeq(ulong.Parse(_status.Groups["modseq"].Value, CultureInfo.InvariantCulture));
        });
    }

    /// <summary>One message or a few that lie together, named by number or by UID.</summary>
    private (List<SeenMessage> Messages, string Set, string Uid) Target()
    {
        var first = random.Next(_view.Messages.Count);
        var messages = _view.Messages.Skip(first).Take(random.Next(1, 4)).ToList();
        foreach (var message in messages) (message.ModSeqBefore, message.VersionBefore) = (message.ModSeq, message.Version);
        return random.Next(2) == 0 ? (messages, Uids(messages), "UID ") : (messages, string.Create(CultureInfo.InvariantCulture, $"{first + 1}:{first + messages.Count}"), "");
    }

    private static string Uids(IEnumerable<SeenMessage> messages) => string.Join(',', messages.Select(static message => message.Uid));

    private bool AnyLost(List<SeenMessage> messages) => messages.Any(message => _mailbox!.Find(message.Uid) is null);

    private void Change(List<SeenMessage> messages, string sign, string flag)
    {
        foreach (var message in messages)
        {
            _mailbox!.Find(message.Uid)!.Change(flags =>
            {
                if (sign == "-") flags.Remove(flag);
                else
                {
                    if (sign.Length == 0) flags.Clear();
                    flags.Add(flag);
                }
            });
        }
    }

    [GeneratedRegex(@"^\* STATUS \S+ \(MESSAGES (?<messages>\d+) UIDNEXT (?<uidnext>\d+) UNSEEN (?<unseen>\d+) DELETED (?<deleted>\d+)(?: HIGHESTMODSEQ (?<modseq>\d+))?\)$")]
    private static partial Regex StatusLine();
}
