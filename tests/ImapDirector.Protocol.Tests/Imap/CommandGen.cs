using System.Collections.Immutable;
using System.Text;
using CsCheck;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>Generates every command a client could send, in the one form the parser gives it.</summary>
internal static class CommandGen
{
    private const string AtomLetters = "!#$&'+,-./0123456789:;<=>?@ABCXYZ[^_`abcxyz|}~";

    private static readonly Gen<string> Atom = Gen.Char[AtomLetters].Array[1, 12].Select(letters => new string(letters));

    private static readonly Gen<string> Tag = Gen.Char[AtomLetters.Replace("+", "") + "]"].Array[1, 12].Select(letters => new string(letters));

    private static readonly Gen<byte[]> Bytes = Gen.Byte[1, 255].Array[0, 20];

    private static readonly Gen<string> Text = Gen.Char["abc XYZ\"\\{}()*%&\r\n\u00e9\u20ac\u4e2d"].Array[0, 12].Select(letters => new string(letters));

    private static readonly Gen<string> Clean = Text.Select(text => text.Replace("\r", "").Replace("\n", ""));

    private static readonly Gen<MailboxName> Mailbox = Gen.Select(Clean.Array[1, 4], Gen.Bool).Select((levels, inbox) =>
        MailboxName.TryCreate(string.Join('/', levels.Select(level => level.Length == 0 ? "x" : level)), out var name) && !inbox ? name : MailboxName.Inbox);

    private static readonly Gen<uint> Number = Gen.OneOf(Gen.UInt[1, 20], Gen.UInt[1, uint.MaxValue]);

    private static readonly Gen<SequenceSet> Set = Gen.Select(Number, Number).Select((a, b) => new SequenceRange(a, b)).Array[1, 5]
        .Select(ranges => new SequenceSet([.. ranges]));

    private static readonly Gen<string> EntryName = Gen.Char["abc(\"\\."].Array[1, 8].Select(letters => "/private/" + new string(letters));

    private static readonly Gen<ulong> ModSeq = Gen.ULong[0, long.MaxValue];

    private static readonly Gen<SearchReturn?> Return = Gen.Select(Gen.Int[0, 127], Number, Number, Gen.Bool, Gen.Enum<StatusItem>().Array[0, 2]).Select((bits, first, last, fromEnd, told) =>
    {
        var items = (SearchReturnItems)bits;
        ImmutableArray<FetchItem> update = (items & SearchReturnItems.Update) == 0 ? [] : [.. told.Select(static item => new FetchItem((FetchItemKind)((int)item % 5)))];
        if ((items & SearchReturnItems.Partial) == 0) return items == SearchReturnItems.None ? null : new SearchReturn(items) { UpdateItems = update };
        return new SearchReturn(items & ~SearchReturnItems.All, new PartialWindow(Math.Min(first, last), Math.Max(first, last), fromEnd)) { UpdateItems = update };
    });

    private static readonly Gen<FlagList> Flags = Gen.Select(Gen.Int[0, 31], Atom.Array[0, 4]).Select((system, keywords) =>
        new FlagList((SystemFlags)system, [.. keywords.DistinctBy(k => k, StringComparer.OrdinalIgnoreCase)]));

    private static readonly Gen<DateOnly> Date = Gen.Int[0, DateOnly.MaxValue.DayNumber].Select(DateOnly.FromDayNumber);

    private static readonly Gen<DateTimeOffset?> Moment = Gen.Select(Gen.Bool, Gen.Long[200_000, 3_000_000_000], Gen.Int[-14 * 60, 14 * 60])
        .Select((given, seconds, zone) => given ? DateTimeOffset.FromUnixTimeSeconds(seconds).ToOffset(TimeSpan.FromMinutes(zone)) : (DateTimeOffset?)null);

    private static readonly Gen<string> FieldName = Gen.OneOf(Gen.OneOf(Gen.Const("Subject"), Gen.Const("x-Y z")), Atom);

    private static readonly Gen<ImmutableArray<StatusItem>> StatusItems = Gen.Enum<StatusItem>().Array[1, 7].Select(items => items.Distinct().ToImmutableArray());

    private static readonly Gen<BodySection> Section =
        Gen.Select(Gen.UInt[1, 50].Array[0, 4], Gen.Enum<SectionText>(), FieldName.Array[1, 4]).Select((part, text, fields) =>
        {
            if (part.Length == 0 && text == SectionText.Mime) text = SectionText.All;
            return new BodySection([.. part], text, text is SectionText.HeaderFields or SectionText.HeaderFieldsNot ? [.. fields] : []);
        });

    private static readonly Gen<FetchItem> Item = Gen.Select(Gen.Enum<FetchItemKind>(), Section, Gen.Bool, Gen.UInt, Number, Gen.Bool)
        .Select((kind, section, peek, offset, length, partial) => kind switch
        {
            FetchItemKind.BodySection => new FetchItem(kind, section, peek, partial ? new PartialRange(offset, length) : null),
            FetchItemKind.Binary => new FetchItem(kind, new BodySection(section.Part, SectionText.All, []), peek, partial ? new PartialRange(offset, length) : null),
            FetchItemKind.BinarySize => new FetchItem(kind, new BodySection(section.Part, SectionText.All, []), Peek: true),
            _ => new FetchItem(kind),
        });

    private static readonly Gen<SearchKey> Key = KeyOf(4);

    private static readonly Gen<MailboxFilter> Filter = Gen.Select(Gen.Enum<MailboxFilterKind>(), Mailbox.Array[1, 3])
        .Select((kind, names) => new MailboxFilter(kind == MailboxFilterKind.SelectedDelayed ? MailboxFilterKind.Selected : kind, kind >= MailboxFilterKind.Subtree ? [.. names] : []));

    private static readonly Gen<NotifyGroup> Group = Gen.Select(Gen.Enum<MailboxFilterKind>(), Mailbox.Array[1, 3], Gen.Int[0, 255], Gen.Int[0, 3]).Select((kind, names, bits, items) =>
    {
        var isSelected = kind is MailboxFilterKind.Selected or MailboxFilterKind.SelectedDelayed;
        var events = (NotifyEvents)bits & (isSelected ? NotifyEvents.Messages | NotifyEvents.Unknown : (NotifyEvents)255);
        if ((events & NotifyEvents.Messages) != 0) events |= NotifyEvents.MessageNew | NotifyEvents.MessageExpunge;
        return new NotifyGroup(new MailboxFilter(kind, kind >= MailboxFilterKind.Subtree ? [.. names] : []), events,
            isSelected && (events & NotifyEvents.MessageNew) != 0 ? [.. Enumerable.Range(0, items).Select(static item => new FetchItem((FetchItemKind)item))] : []);
    });

    private static readonly Gen<string?> Charset = Gen.OneOf(Gen.Const((string?)null), Gen.Const((string?)"UTF-8"), Gen.Const((string?)"US-ASCII"));

    /// <summary>Any command.</summary>
    public static readonly Gen<ImapCommand> Any = Gen.OneOf(Simple(), Session(), Mailboxes(), Messages(), Account());

    // Scores are told of fuzzy searches alone.
    private static SearchReturn? Scored(SearchReturn? wanted, SearchKey key) =>
        wanted is not null && FuzzyKey.IsIn(key) ? wanted with { Items = wanted.Items | SearchReturnItems.Relevancy } : wanted;

    private static Gen<SearchKey> KeyOf(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Const((SearchKey)new AllKey()),
            Set.Select(set => (SearchKey)new SequenceKey(set)),
            Set.Select(set => (SearchKey)new UidKey(set)),
            Gen.Select(Gen.Int[0, 4], Gen.Bool).Select((bit, present) => (SearchKey)new FlagKey((SystemFlags)(1 << bit), present)),
            Gen.Select(Atom, Gen.Bool).Select((keyword, present) => (SearchKey)new KeywordKey(keyword, present)),
            Gen.Bool.Select(recent => (SearchKey)new RecentKey(recent)),
            Gen.Select(Gen.Enum<DateKind>(), Gen.Enum<DateComparison>(), Date).Select((kind, comparison, date) => (SearchKey)new DateKey(kind, comparison, date)),
            Gen.Const((SearchKey)new SequenceKey(SequenceSet.SavedResult)),
            ModSeq.Select(modSeq => (SearchKey)new ModSeqKey(modSeq)),
            Gen.Select(Gen.Bool, Number).Select((younger, seconds) => (SearchKey)new AgeKey(younger, seconds)),
            Gen.Select(Gen.Bool, Atom).Select((email, id) => email ? (SearchKey)new EmailIdKey(id) : new ThreadIdKey(id)),
            Gen.Select(Gen.Bool, Gen.UInt).Select((larger, bytes) => (SearchKey)new SizeKey(larger, bytes)),
            Gen.Select(FieldName, Text).Select((field, text) => (SearchKey)new HeaderKey(field, text)),
            Gen.Select(Gen.Bool, Text).Select((header, text) => (SearchKey)new TextKey(header, text)));
        if (depth == 0) return leaf;
        var inner = KeyOf(depth - 1);
        return Gen.OneOf(
            leaf,
            inner.Select(key => (SearchKey)new NotKey(key)),
            inner.Select(key => (SearchKey)new FuzzyKey(key)),
            Gen.Select(inner, inner).Select((left, right) => (SearchKey)new OrKey(left, right)),
            inner.Array[2, 3].Select(keys => (SearchKey)new AndKey([.. keys])));
    }

    private static Gen<ImapCommand> Simple() => Gen.Select(Tag, Gen.Int[0, 9]).Select((tag, which) => (ImapCommand)(which switch
    {
        0 => new CapabilityCommand(tag),
        1 => new NoopCommand(tag),
        2 => new LogoutCommand(tag),
        3 => new StartTlsCommand(tag),
        4 => new CheckCommand(tag),
        5 => new CloseCommand(tag, Expunge: true),
        6 => new CloseCommand(tag, Expunge: false),
        7 => new ExpungeCommand(tag, null),
        8 => new IdleCommand(tag),
        _ => new NamespaceCommand(tag),
    }));

    private static Gen<ImapCommand> Session() => Gen.OneOf(
        Gen.Select(Tag, Bytes, Bytes).Select((tag, user, password) => (ImapCommand)new LoginCommand(tag, user, password)),
        Gen.Select(Tag, Atom, Bytes, Gen.Bool).Select((tag, mechanism, response, given) => (ImapCommand)new AuthenticateCommand(tag,
            mechanism.ToUpperInvariant(),
            !given ? null : Encoding.ASCII.GetBytes(response.Length == 0 ? "=" : Convert.ToBase64String(response)))),
        Gen.Select(Tag, Gen.Select(Clean, Clean, Gen.Bool).Array[0, 5]).Select((tag, fields) => (ImapCommand)new IdCommand(tag,
            [.. fields.Select(f => new KeyValuePair<string, string?>(f.Item1.Length > 10 ? "k" : f.Item1, f.Item3 ? null : f.Item2))])),
        Gen.Select(Tag, Atom.Array[1, 4]).Select((tag, names) => (ImapCommand)new EnableCommand(tag, [.. names.Select(n => n.ToUpperInvariant())])));

    private static Gen<ImapCommand> Mailboxes() => Gen.OneOf(
        Gen.Select(Tag, Mailbox, Gen.Int[0, 4]).Select((tag, mailbox, which) => (ImapCommand)(which switch
        {
            0 => new SelectCommand(tag, mailbox, ReadOnly: false) { CondStore = mailbox.IsInbox },
            1 => new SelectCommand(tag, mailbox, ReadOnly: true),
            2 => new DeleteCommand(tag, mailbox),
            3 => new SubscribeCommand(tag, mailbox, Subscribe: true),
            _ => new SubscribeCommand(tag, mailbox, Subscribe: false),
        })),
        Gen.Select(Gen.Select(Tag, Mailbox), Number, ModSeq, Set, Gen.Select(Gen.Bool, Gen.Bool)).Select((names, validity, modSeq, known, given) =>
            (ImapCommand)new SelectCommand(names.Item1, names.Item2, ReadOnly: given.Item1)
            {
                QResync = new QResyncState(validity, modSeq, given.Item1 ? null : known) { MatchesNumbers = given.Item2 },
            }),
        Gen.Select(Tag, Mailbox, Mailbox).Select((tag, from, to) => (ImapCommand)new RenameCommand(tag, from, to)),
        Gen.Select(Tag, Mailbox, Gen.OneOf(Gen.Const(@"\Sent"), Gen.Const(@"\Trash"), Gen.Const(@"\junk-like")).Array[0, 3])
            .Select((tag, mailbox, uses) => (ImapCommand)new CreateCommand(tag, mailbox, [.. uses])),
        Gen.Select(Tag, Mailbox, StatusItems).Select((tag, mailbox, items) => (ImapCommand)new StatusCommand(tag, mailbox, items)),
        Gen.Select(Tag, Clean, Clean).Select((tag, reference, pattern) => (ImapCommand)new LsubCommand(tag, reference, pattern)),
        Gen.Select(Gen.Select(Tag, Clean, Clean.Array[1, 3]), Gen.Int[0, 15], Gen.Int[0, 31], StatusItems, Gen.Bool)
            .Select((names, select, result, items, extended) => (ImapCommand)List(names.Item1, names.Item2, names.Item3, (ListSelect)select, (ListReturn)((result & 15) | ((result & 16) << 1)), items, extended)),
        Gen.Select(Tag, Mailbox, Message, Number, Gen.Bool.Nullable()).Select((tag, mailbox, message, replaced, byUid) => byUid is { } uid
            ? new ReplaceCommand(tag, uid, new SequenceSet([new SequenceRange(replaced, replaced)]), mailbox, message)
            : (ImapCommand)new AppendCommand(tag, mailbox, message)));

    /// <summary>One message by itself, or put together (RFC 4469), up to its first literal or without any.</summary>
    private static Gen<AppendStretch> Message => Gen.Select(Gen.Select(Flags, Moment), Gen.Long[0, long.MaxValue], Gen.Int[0, 5], Url.Array[0, 3], Gen.Int[0, 3]).Select((of, length, kind, urls, ending) =>
    {
        // UTF8 takes a literal8 (RFC 6855 section 4).
        var (header, isUtf8) = (new LiteralHeader(length, Synchronizing: kind % 2 == 0, Binary: kind > 1), kind > 3);
        var start = new StartOfMessage(of.Item1, of.Item2);
        AppendStep[] parts = [start, .. urls.Select(url => new UrlStep(url))];
        return ending switch
        {
            0 => new AppendStretch([start, new LiteralStep(header, LiteralUse.Content)], isUtf8 ? AppendPlace.InUtf8 : AppendPlace.BehindMessage),
            1 when urls.Length > 0 => new AppendStretch([.. parts, new EndOfMessage()], AppendPlace.Complete),
            2 => new AppendStretch([.. parts, new LiteralStep(header with { Binary = false }, LiteralUse.Url)], AppendPlace.BehindPart),
            _ => new AppendStretch([.. parts, new LiteralStep(header, LiteralUse.Content)], isUtf8 ? AppendPlace.InUtf8Part : AppendPlace.BehindPart),
        };
    });

    private static Gen<string> Url => Gen.Char[' ', '~'].Array[1, 20].Select(static characters => new string(characters));

    private static Gen<ImapCommand> Account() => Gen.OneOf(
        Gen.Select(Tag, Text).Select((tag, root) => (ImapCommand)new GetQuotaCommand(tag, root)),
        Gen.Select(Tag, Mailbox).Select((tag, mailbox) => (ImapCommand)new GetQuotaRootCommand(tag, mailbox)),
        Gen.Select(Gen.Select(Tag, Mailbox), EntryName.Array[1, 3], Gen.OneOf(Gen.Const(0), Gen.Const(1), Gen.Const(int.MaxValue)), Gen.UInt.Nullable()).Select((of, names, depth, size) =>
            (ImapCommand)new GetMetadataCommand(of.Item1, of.Item2.IsInbox ? null : of.Item2, [.. names], depth, size)),
        Gen.Select(Tag, Mailbox, Gen.Select(EntryName, Bytes, Gen.Bool).Array[1, 3]).Select((tag, mailbox, entries) => (ImapCommand)new SetMetadataCommand(tag,
            mailbox.IsInbox ? null : mailbox, [.. entries.Select(entry => new KeyValuePair<string, byte[]?>(entry.Item1, entry.Item3 ? entry.Item2 : null))])),
        Gen.Select(Gen.Select(Tag, Mailbox), Atom, Gen.Bool.Nullable(), Gen.Int[0, 2047]).Select((of, identifier, change, rights) =>
            (ImapCommand)new SetAclCommand(of.Item1, of.Item2, identifier, change, (MailboxRights)rights)),
        Gen.Select(Tag, Mailbox, Atom, Gen.Int[0, 3]).Select((tag, mailbox, identifier, which) => (ImapCommand)(which switch
        {
            0 => new DeleteAclCommand(tag, mailbox, identifier),
            1 => new ListRightsCommand(tag, mailbox, identifier),
            2 => new GetAclCommand(tag, mailbox),
            _ => new MyRightsCommand(tag, mailbox),
        })),
        Gen.Select(Tag, Gen.Select(Url, Atom).Array[1, 3]).Select((tag, urls) =>
            (ImapCommand)new GenUrlAuthCommand(tag, [.. urls.Select(static url => KeyValuePair.Create(url.Item1, url.Item2.ToUpperInvariant()))])),
        Gen.Select(Tag, Url.Array[1, 3]).Select((tag, urls) => (ImapCommand)new UrlFetchCommand(tag, [.. urls])),
        Gen.Select(Tag, Mailbox, Atom.Array[0, 2]).Select((tag, mailbox, mechanisms) =>
            (ImapCommand)(mailbox.IsInbox ? new ResetKeyCommand(tag, null, []) : new ResetKeyCommand(tag, mailbox, [.. mechanisms.Select(static one => one.ToUpperInvariant())]))),
        Gen.Select(Tag, Atom).Select((tag, mechanism) => (ImapCommand)new CompressCommand(tag, mechanism.ToUpperInvariant())));

    private static ListCommand List(string tag, string reference, string[] patterns, ListSelect select, ListReturn result,
        ImmutableArray<StatusItem> items, bool extended)
    {
        if ((select & ~ListSelect.Remote) == ListSelect.RecursiveMatch) select |= ListSelect.Subscribed;
        return new ListCommand(tag, reference, [.. patterns], select, result, result.HasFlag(ListReturn.Status) ? items : [],
            extended || patterns.Length > 1 || select != ListSelect.None || result != ListReturn.None);
    }

    private static Gen<ImapCommand> Messages() => Gen.OneOf(
        Gen.Select(Tag, Set).Select((tag, uids) => (ImapCommand)new ExpungeCommand(tag, uids)),
        Gen.Select(Tag, Gen.Bool, Group.Array[0, 4]).Select((tag, status, groups) => (ImapCommand)new NotifyCommand(tag, status && groups.Length > 0,
            [.. groups.DistinctBy(static group => group.Filter.Kind <= MailboxFilterKind.SelectedDelayed ? null : group)])),
        Gen.Select(Tag, Atom.Array[1, 3]).Select((tag, tags) => (ImapCommand)new CancelUpdateCommand(tag, [.. tags])),
        Gen.Select(Tag, Number, Number, Number, Gen.Bool).Select((tag, size, first, last, all) => (ImapCommand)new UidBatchesCommand(tag, size, all ? null : new SequenceRange(first, last))),
        Gen.Select(Gen.Select(Tag, Gen.Bool), Charset, Key, Return).Select((of, charset, key, wanted) =>
            (ImapCommand)new SearchCommand(of.Item1, of.Item2, charset, key) { Return = Scored(wanted, key) }),
        Gen.Select(Tag, Filter.Array[0, 4], Charset, Key, Return).Select((tag, filters, charset, key, wanted) =>
            (ImapCommand)new MultiSearchCommand(tag, [.. filters], new SearchCommand(tag, true, charset, key) { Return = Scored(wanted, key) })),
        Gen.Select(Gen.Select(Tag, Gen.Bool), Gen.Select(Gen.Enum<SortKey>(), Gen.Bool).Array[1, 4], Key, Return).Select((of, criteria, key, wanted) =>
            (ImapCommand)new SortCommand(of.Item1, of.Item2, [.. criteria.Select(c => new SortCriterion(c.Item1, c.Item2)).Where(c => c.Key != SortKey.Relevancy || FuzzyKey.IsIn(key)).DefaultIfEmpty()], key)
            {
                Return = Scored(wanted, key),
            }),
        Gen.Select(Tag, Gen.Bool, Gen.Enum<ThreadAlgorithm>(), Key).Select((tag, byUid, algorithm, key) => (ImapCommand)new ThreadCommand(tag, byUid, algorithm, key)),
        Gen.Select(Gen.Select(Tag, Gen.Bool), Set, Item.Array[1, 5], ModSeq, Gen.Int[0, 2]).Select((of, set, items, modSeq, modifiers) =>
            (ImapCommand)new FetchCommand(of.Item1, of.Item2, set, [.. items]) { ChangedSince = modifiers > 0 ? modSeq : null, Vanished = modifiers > 1 && of.Item2 }),
        Gen.Select(Gen.Select(Tag, Gen.Bool), Set, Gen.Enum<StoreOperation>(), Gen.Bool, Flags, ModSeq.Nullable())
            .Select((of, set, operation, silent, flags, since) =>
                (ImapCommand)new StoreCommand(of.Item1, of.Item2, set, operation, silent, flags) { UnchangedSince = since }),
        Gen.Select(Tag, Gen.Bool, Set, Mailbox, Gen.Bool).Select((tag, byUid, set, mailbox, move) => (ImapCommand)new CopyCommand(tag, byUid, set, mailbox, move)));
}
