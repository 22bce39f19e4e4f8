using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Mailboxes;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Maintenance;
using Xunit;

namespace ImapDirector.Storage.Tests.Store;

/// <summary>Random lives of a store, beside a model that keeps everything in memory and does everything the slow way.</summary>
public sealed class UserStoreModelTests
{
    private static readonly string[] Names = ["INBOX", "Sent", "a", "a/b", "a/b/c", "b", "b/a", "INBOX/x"];
    private static readonly string[] Keywords = ["one", "TWO", "three"];

    private static readonly Gen<Step> Steps = Gen.Select(Gen.Int[0, 11], Gen.Int[0, Names.Length - 1], Gen.Int[0, Names.Length - 1], Gen.Int[0, 31], Gen.Int[0, 7],
        static (kind, first, second, flags, choice) => new Step(kind, Names[first], Names[second], flags, choice));

    [Fact]
    public async Task Whatever_happens_to_a_store_it_holds_what_the_model_holds()
    {
        var lives = new List<Step[]>();
        Steps.Array[10, 60].Sample(lives.Add, iter: 120, threads: 1);
        foreach (var life in lives) await LiveAsync(life);
    }

    private static async Task LiveAsync(Step[] steps)
    {
        await using var user = await StoreFixture.OpenAsync();
        var model = new Model(user.Store.ListMailboxes());
        var done = new StringBuilder();
        foreach (var step in steps)
        {
            done.Append(step).Append('\n');
            await ApplyAsync(user, model, step);
            Assert.True(model.Matches(user, out var difference), $"{difference}\nafter\n{done}");
        }
        Assert.Empty(StoreCheck.Run(user.UserDirectory, isAlone: false, null, CancellationToken.None).Findings);
    }

    private static async Task ApplyAsync(StoreFixture user, Model model, Step step)
    {
        var (name, other) = (new MailboxName(step.First), new MailboxName(step.Second));
        var flags = new FlagList((SystemFlags)step.Flags, [.. Keywords.Take(step.Choice % 3)]);
        var store = user.Store;
        switch (step.Kind)
        {
            case 0:
                Assert.Equal(model.Create(name.Value), await store.CreateMailboxAsync(name, null, CancellationToken.None));
                break;
            case 1:
                Assert.Equal(model.Delete(name.Value), await store.DeleteMailboxAsync(name, CancellationToken.None));
                break;
            case 2:
                Assert.Equal(model.Rename(name.Value, other.Value), await store.RenameMailboxAsync(name, other, CancellationToken.None));
                break;
            case 3:
                await store.SetSubscribedAsync(name, step.Choice % 2 == 0, CancellationToken.None);
                model.Subscribe(name.Value, step.Choice % 2 == 0);
                break;
            case 4 or 5 or 6 when store.FindMailbox(name) is { Selectable: true }:
                var body = Encoding.ASCII.GetBytes($"Subject: {step}\r\n\r\n{new string('x', step.Choice == 0 ? MessageContents.MaxBodyBytesInDatabase : step.Choice)}");
                var added = await user.AddAsync(name.Value, body, flags);
                model.Add(name.Value, added.Uid, flags, body);
                break;
            case 7 when store.FindMailbox(name) is { } mailbox:
                var operation = (StoreOperation)(step.Choice % 3);
                await StoreFlagsAsync(store, mailbox, model.Some(name.Value, step.Choice), operation, flags, asRanges: step.Flags % 2 == 0);
                model.Store(name.Value, step.Choice, operation, flags);
                break;
            case 8 when store.FindMailbox(name) is { } mailbox:
                var some = model.Some(name.Value, step.Choice);
                var removed = step.Choice % 2 == 0 ? await user.ExpungeDeletedAsync(mailbox.Id, some) : await store.ExpungeAsync(mailbox.Id, some, CancellationToken.None);
                Assert.Equal(model.Expunge(name.Value, step.Choice, onlyDeleted: step.Choice % 2 == 0), removed.Uids);
                break;
            case 9 when store.FindMailbox(name) is { } from && store.FindMailbox(other) is { Selectable: true } to:
                var copies = await store.CopyAsync(from.Id, model.Some(name.Value, step.Choice), to.Id, move: step.Choice % 2 == 0, CancellationToken.None);
                model.Copy(name.Value, other.Value, copies.Copies, move: step.Choice % 2 == 0);
                break;
            case 10 when store.FindMailbox(name) is { } mailbox:
                await store.FirstRecentUidAsync(mailbox.Id, claim: true, CancellationToken.None);
                model.ClaimRecent(name.Value);
                break;
            case 11:
                await user.ReopenAsync();
                break;
        }
    }

    /// <summary>System flags alone can also be written down as ranges; nobody can tell afterwards which way it was.</summary>
    private static async Task StoreFlagsAsync(UserStore store, MailboxRecord mailbox, uint[] uids, StoreOperation operation, FlagList flags, bool asRanges)
    {
        if (!asRanges || operation == StoreOperation.Replace || !flags.Keywords.IsEmpty)
        {
            await store.StoreFlagsAsync(mailbox.Id, uids, operation, flags, CancellationToken.None);
            return;
        }
        var shared = new SharedMailbox(mailbox, store.LoadMessages(mailbox.Id), 1, new ChangeLog());
        var (added, removed) = operation == StoreOperation.Add ? (flags.System, SystemFlags.None) : (SystemFlags.None, flags.System);
        var plan = shared.Plan(uids, added, removed, null);
        if (!plan.IsEmpty) await store.StoreFlagsAsync(mailbox.Id, plan.Ranges, CancellationToken.None);
    }

    private sealed record Step(int Kind, string First, string Second, int Flags, int Choice);

    private sealed record Message(uint Uid, SystemFlags Flags, string[] Keywords, byte[] Body);

    private sealed class Mailbox
    {
        public bool IsSelectable { get; set; } = true;

        public string? Use { get; init; }

        public uint UidNext { get; set; } = 1;

        public uint FirstRecent { get; set; } = 1;

        public List<Message> Messages { get; set; } = [];

        /// <summary>What was seen of it last; both only grow while the mailbox lives.</summary>
        public (long Id, uint Validity, ulong ModSeq) Seen { get; set; }
    }

    private sealed class Model
    {
        private readonly SortedDictionary<string, Mailbox> _mailboxes = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _subscribed = new(StringComparer.Ordinal);
        private readonly Dictionary<uint, string> _validities = [];

        public Model(IReadOnlyList<MailboxRecord> initial)
        {
            foreach (var mailbox in initial)
            {
                _mailboxes.Add(mailbox.Name.Value, new Mailbox { Use = mailbox.SpecialUse });
                _subscribed.Add(mailbox.Name.Value);
            }
        }

        public uint[] Some(string name, int choice) => [.. _mailboxes[name].Messages.Where((_, index) => index % (choice + 1) == 0).Select(message => message.Uid)];

        public StoreResult Create(string name)
        {
            if (_mailboxes.TryGetValue(name, out var existing) && existing.IsSelectable) return StoreResult.AlreadyExists;
            AddParents(name);
            _mailboxes[name] = new Mailbox();
            return StoreResult.Done;
        }

        public StoreResult Delete(string name)
        {
            if (name == "INBOX") return StoreResult.NotAllowed;
            if (!_mailboxes.TryGetValue(name, out var mailbox)) return StoreResult.NotFound;
            if (!Children(name).Any()) _mailboxes.Remove(name);
            else if (!mailbox.IsSelectable) return StoreResult.NotAllowed;
            else _mailboxes[name] = new Mailbox { IsSelectable = false };
            return StoreResult.Done;
        }

        public StoreResult Rename(string from, string to)
        {
            if (!_mailboxes.TryGetValue(from, out var mailbox)) return StoreResult.NotFound;
            if (_mailboxes.ContainsKey(to)) return StoreResult.AlreadyExists;
            if (from == "INBOX")
            {
                AddParents(to);
                _mailboxes[to] = new Mailbox { UidNext = mailbox.UidNext, FirstRecent = mailbox.FirstRecent, Messages = mailbox.Messages };
                (mailbox.Messages, mailbox.FirstRecent) = ([], mailbox.UidNext);
                return StoreResult.Done;
            }
            if (to.StartsWith(from + "/", StringComparison.Ordinal)) return StoreResult.NotAllowed;
            var children = Children(from).ToList();
            if (children.Any(child => _mailboxes.ContainsKey(to + child[from.Length..]))) return StoreResult.AlreadyExists;
            AddParents(to);
            foreach (var moved in children.Prepend(from))
            {
                _mailboxes.Remove(moved, out var one);
                _mailboxes.Add(to + moved[from.Length..], one!);
            }
            return StoreResult.Done;
        }

        public void Subscribe(string name, bool subscribed) => _ = subscribed ? _subscribed.Add(name) : _subscribed.Remove(name);

        public void Add(string name, uint uid, FlagList flags, byte[] body)
        {
            var mailbox = _mailboxes[name];
            Assert.Equal(mailbox.UidNext, uid);
            mailbox.UidNext++;
            mailbox.Messages.Add(new Message(uid, flags.System, [.. flags.Keywords], body));
        }

        public void Store(string name, int choice, StoreOperation operation, FlagList flags)
        {
            var chosen = Some(name, choice).ToHashSet();
            _mailboxes[name].Messages = [.. _mailboxes[name].Messages.Select(message => !chosen.Contains(message.Uid) ? message : operation switch
            {
                StoreOperation.Add => message with { Flags = message.Flags | flags.System, Keywords = [.. message.Keywords.Union(flags.Keywords)] },
                StoreOperation.Remove => message with { Flags = message.Flags & ~flags.System, Keywords = [.. message.Keywords.Except(flags.Keywords)] },
                _ => message with { Flags = flags.System, Keywords = [.. flags.Keywords] },
            })];
        }

        public List<uint> Expunge(string name, int choice, bool onlyDeleted)
        {
            var chosen = Some(name, choice).ToHashSet();
            var removed = _mailboxes[name].Messages.Where(message => chosen.Contains(message.Uid) && (!onlyDeleted || message.Flags.HasFlag(SystemFlags.Deleted))).Select(message => message.Uid).ToList();
            _mailboxes[name].Messages.RemoveAll(message => removed.Contains(message.Uid));
            return removed;
        }

        public void Copy(string from, string to, IReadOnlyList<(uint SourceUid, MessageRecord Copy)> copies, bool move)
        {
            foreach (var (source, copy) in copies)
            {
                var original = _mailboxes[from].Messages.Single(message => message.Uid == source);
                Assert.Equal(_mailboxes[to].UidNext++, copy.Uid);
                if (move) _mailboxes[from].Messages.Remove(original);
                _mailboxes[to].Messages.Add(original with { Uid = copy.Uid });
            }
        }

        public void ClaimRecent(string name) => _mailboxes[name].FirstRecent = _mailboxes[name].UidNext;

        /// <summary>Compares everything there is to see.</summary>
        public bool Matches(StoreFixture user, out string difference)
        {
            var records = user.Store.ListMailboxes();
            difference = Compare("mailboxes", string.Join(", ", _mailboxes.Keys), string.Join(", ", records.Select(record => record.Name.Value)));
            difference += Compare("subscriptions", string.Join(", ", _subscribed), string.Join(", ", user.Store.ListSubscriptions().Select(name => name.Value)));
            foreach (var record in records)
            {
                if (difference.Length > 0) return false;
                var (name, mailbox) = (record.Name.Value, _mailboxes[record.Name.Value]);
                difference += Compare(name, Counters(mailbox, _subscribed.Contains(name)), $"{record.Selectable} {record.SpecialUse} {record.Subscribed} {record.UidNext} {record.Messages} {record.Unseen} {record.Deleted} {user.Store.CountRecent(record.Id)} {record.SizeBytes}");
                difference += Compare($"messages of {name}", string.Join('\n', mailbox.Messages.Select(Text)),
                    string.Join('\n', user.Store.LoadMessages(record.Id).Select(message => Text(new Message(message.Uid, message.Flags, [.. message.Keywords], user.Content(message))))));
                if (mailbox.Seen.Id == record.Id && (mailbox.Seen.Validity != record.UidValidity || mailbox.Seen.ModSeq > record.HighestModSeq)) difference += $"{name}: {mailbox.Seen} became {record}";
                mailbox.Seen = (record.Id, record.UidValidity, record.HighestModSeq);
                // A UIDVALIDITY belongs to one mailbox for ever, so no name can ever have it again with other messages.
                if (!_validities.TryAdd(record.UidValidity, $"{record.Id}")) difference += Compare($"UIDVALIDITY of {name}", _validities[record.UidValidity], $"{record.Id}");
            }
            var files = Path.Combine(user.UserDirectory, "contents");
            var large = _mailboxes.Values.SelectMany(mailbox => mailbox.Messages).Select(message => message.Body).Where(body => body.Length > MessageContents.MaxBodyBytesInDatabase).Distinct().Count();
            difference += Compare("files", $"{large}", $"{(Directory.Exists(files) ? Directory.GetFiles(files).Length : 0)}");
            return difference.Length == 0;
        }

        private static string Counters(Mailbox mailbox, bool subscribed) => $"{mailbox.IsSelectable} {mailbox.Use} {subscribed} {mailbox.UidNext} {mailbox.Messages.Count} "
            + $"{mailbox.Messages.Count(message => !message.Flags.HasFlag(SystemFlags.Seen))} {mailbox.Messages.Count(message => message.Flags.HasFlag(SystemFlags.Deleted))} "
            + $"{mailbox.Messages.Count(message => message.Uid >= mailbox.FirstRecent)} {mailbox.Messages.Sum(message => message.Body.Length)}";

        private static string Text(Message message) => $"{message.Uid} {message.Flags} {string.Join(' ', message.Keywords)} {message.Body.Length} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(message.Body))}";

        private static string Compare(string what, string expected, string actual) => expected == actual ? "" : $"{what}: expected\n{expected}\nbut there is\n{actual}\n";

        private IEnumerable<string> Children(string name) => _mailboxes.Keys.Where(other => other.StartsWith(name + "/", StringComparison.Ordinal));

        private void AddParents(string name)
        {
            for (var end = name.IndexOf('/', StringComparison.Ordinal); end >= 0; end = name.IndexOf('/', end + 1)) _mailboxes.TryAdd(name[..end], new Mailbox());
        }
    }
}
