using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Protocol.Tests.Imap;

/// <summary>How a client spells strings.</summary>
public enum Spelling
{
    /// <summary>The shortest that may be: atom, quoted, literal.</summary>
    Shortest,
    /// <summary>Literals that wait for the server.</summary>
    Literals,
    /// <summary>Literals that do not wait, and lower case wherever case does not matter.</summary>
    NonSynchronizingLowerCase,
}

/// <summary>Writes a command as a client would.</summary>
internal sealed partial class CommandPrinter(Spelling spelling, bool utf8)
{
    private readonly ArrayBufferWriter<byte> _output = new();

    public static byte[] Print(ImapCommand command, Spelling spelling = Spelling.Shortest, bool utf8 = false)
    {
        var printer = new CommandPrinter(spelling, utf8);
        printer._output.Raw(Encoding.ASCII.GetBytes(command.Tag + " "));
        printer.Command(command);
        printer._output.EndLine();
        return printer._output.WrittenSpan.ToArray();
    }

    private void Command(ImapCommand command)
    {
        Word(command.Name);
        switch (command)
        {
            case LoginCommand login:
                Argument(login.User);
                Argument(login.Password);
                break;
            case AuthenticateCommand authenticate:
                Word(" " + authenticate.Mechanism);
                if (authenticate.InitialResponse is { } response) Raw(" " + Encoding.ASCII.GetString(response));
                break;
            case IdCommand { Fields.IsEmpty: true }:
                Word(" NIL");
                break;
            case IdCommand id:
                Raw(" ");
                List(id.Fields.SelectMany(f => new[] { f.Key, f.Value }), IdString);
                break;
            case EnableCommand enable:
                foreach (var capability in enable.Capabilities) Word(" " + capability);
                break;
            case SelectCommand select: Select(select); break;
            case DeleteCommand delete: Mailbox(delete.Mailbox); break;
            case SubscribeCommand subscribe: Mailbox(subscribe.Mailbox); break;
            case RenameCommand rename:
                Mailbox(rename.From);
                Mailbox(rename.To);
                break;
            case CreateCommand create:
                Mailbox(create.Mailbox);
                if (create.SpecialUse.IsEmpty) break;
                Word(" (USE ");
                List(create.SpecialUse, Raw);
                Raw(")");
                break;
            case StatusCommand status:
                Mailbox(status.Mailbox);
                Raw(" ");
                List(status.Items, Item);
                break;
            case ListCommand list: ListArguments(list); break;
            case LsubCommand lsub:
                Argument(Encode(lsub.Reference));
                Argument(Encode(lsub.Pattern));
                break;
            case AppendCommand append:
                Mailbox(append.Mailbox);
                Stretch(append.First);
                break;
            case ReplaceCommand replace:
                Set(replace.Replaced);
                Mailbox(replace.Mailbox);
                Stretch(replace.First);
                break;
            case ExpungeCommand { Uids: { } uids }: Set(uids); break;
            case SearchCommand search:
                Search(search);
                break;
            case MultiSearchCommand multi:
                if (!multi.In.IsEmpty)
                {
                    Word(" IN ");
                    List(multi.In, Filter);
                }
                Search(multi.Search);
                break;
            case GetQuotaCommand quota: Argument(Encoding.UTF8.GetBytes(quota.Root)); break;
            case GetQuotaRootCommand quota: Mailbox(quota.Mailbox); break;
            case SetAclCommand set:
                Mailbox(set.Mailbox);
                Argument(Encoding.ASCII.GetBytes(set.Identifier));
                Argument(Encoding.ASCII.GetBytes((set.Change switch { true => "+", false => "-", _ => "" }) + RightsText.Of(set.Rights)));
                break;
            case DeleteAclCommand delete:
                Mailbox(delete.Mailbox);
                Argument(Encoding.ASCII.GetBytes(delete.Identifier));
                break;
            case ListRightsCommand list:
                Mailbox(list.Mailbox);
                Argument(Encoding.ASCII.GetBytes(list.Identifier));
                break;
            case GetAclCommand get: Mailbox(get.Mailbox); break;
            case MyRightsCommand mine: Mailbox(mine.Mailbox); break;
            case NotifyCommand notify:
                if (notify.Groups.IsEmpty) Word(" NONE");
                else Word(notify.WithStatus ? " SET STATUS" : " SET");
                foreach (var group in notify.Groups)
                {
                    Raw(" (");
                    Filter(group.Filter);
                    if (group.Events == NotifyEvents.None) Word(" NONE");
                    else Events(group);
                    Raw(")");
                }
                break;
            case CancelUpdateCommand cancel:
                foreach (var tag in cancel.Tags)
                {
                    Raw(" ");
                    String(Encoding.UTF8.GetBytes(tag), mayBeAtom: false);
                }
                break;
            case UidBatchesCommand batches:
                Raw($" {batches.Size}");
                if (batches.Batches is { } range) Raw($" {range.First}:{range.Last}");
                break;
            case GenUrlAuthCommand generate:
                foreach (var (url, mechanism) in generate.Urls)
                {
                    Argument(Encoding.ASCII.GetBytes(url));
                    Word(" " + mechanism);
                }
                break;
            case UrlFetchCommand fetch:
                foreach (var url in fetch.Urls) Argument(Encoding.ASCII.GetBytes(url));
                break;
            case ResetKeyCommand reset:
                if (reset.Mailbox is { } keyed) Mailbox(keyed);
                foreach (var mechanism in reset.Mechanisms) Word(" " + mechanism);
                break;
            case CompressCommand compress: Word(" " + compress.Mechanism); break;
            case GetMetadataCommand get:
                if (get.Depth > 0 || get.MaxSize is not null)
                    Word($" ({(get.MaxSize is { } size ? $"MAXSIZE {size} " : "")}DEPTH {(get.Depth == int.MaxValue ? "infinity" : get.Depth)})");
                Target(get.Mailbox);
                Raw(" ");
                List(get.Entries, name => String(Encoding.ASCII.GetBytes(name)));
                break;
            case SetMetadataCommand set:
                Target(set.Mailbox);
                Raw(" ");
                List(set.Entries, entry =>
                {
                    String(Encoding.ASCII.GetBytes(entry.Key));
                    Raw(" ");
                    if (entry.Value is null) Word("NIL");
                    else String(entry.Value, mayBeAtom: false);
                });
                break;
            case SortCommand sort:
                Return(sort.Return);
                Raw(" ");
                List(sort.Criteria, criterion => Word((criterion.Reverse ? "REVERSE " : "") + criterion.Key));
                Word(" UTF-8 ");
                Key(sort.Key);
                break;
            case ThreadCommand thread:
                Word($" {thread.Algorithm} US-ASCII ");
                Key(thread.Key);
                break;
            case FetchCommand fetch:
                Set(fetch.Messages);
                Raw(" ");
                if (fetch.Items.Length == 1 && spelling == Spelling.Shortest) Item(fetch.Items[0]);
                else List(fetch.Items, Item);
                if (fetch.ChangedSince is { } changedSince) Word($" (CHANGEDSINCE {changedSince}{(fetch.Vanished ? " VANISHED" : "")})");
                break;
            case StoreCommand store:
                Set(store.Messages);
                if (store.UnchangedSince is { } unchangedSince) Word($" (UNCHANGEDSINCE {unchangedSince})");
                Word($" {store.Operation switch { StoreOperation.Add => "+", StoreOperation.Remove => "-", _ => "" }}FLAGS{(store.Silent ? ".SILENT" : "")}");
                Flags(store.Flags);
                break;
            case CopyCommand copy:
                Set(copy.Messages);
                Mailbox(copy.Mailbox);
                break;
        }
    }

    private void Target(MailboxName? mailbox)
    {
        if (mailbox is { } name) Mailbox(name);
        else Raw(" \"\"");
    }

    private void Select(SelectCommand select)
    {
        Mailbox(select.Mailbox);
        if (select.CondStore) Word(" (CONDSTORE)");
        if (select.QResync is not { } state) return;
        Word($" (QRESYNC ({state.UidValidity} {state.ModSeq}");
        if (state.KnownUids is { } known) Set(known);
        Raw(state.MatchesNumbers ? " (1:2 1:2)))" : "))");
    }

    private void Search(SearchCommand search)
    {
        Return(search.Return);
        if (search.Charset is { } charset) Word(" CHARSET " + charset);
        Raw(" ");
        if (search.Key is AndKey and) Joined(and.Keys, Key);
        else Key(search.Key);
    }

    private void Events(NotifyGroup group)
    {
        Raw(" (");
        var isFirst = true;
        foreach (var one in Enum.GetValues<NotifyEvents>())
        {
            if (one is NotifyEvents.None or NotifyEvents.Messages || (group.Events & one) == 0) continue;
            if (!isFirst) Raw(" ");
            isFirst = false;
            Word(one == NotifyEvents.Unknown ? "AnnotationChange" : one.ToString());
            if (one != NotifyEvents.MessageNew || group.NewItems.IsEmpty) continue;
            Raw(" ");
            List(group.NewItems, Item);
        }
        Raw(")");
    }

    private void Filter(MailboxFilter filter)
    {
        Word(filter.Kind switch
        {
            MailboxFilterKind.SubtreeOne => "SUBTREE-ONE",
            MailboxFilterKind.SelectedDelayed => "SELECTED-DELAYED",
            _ => filter.Kind.ToString(),
        });
        if (filter.Mailboxes.Length == 1) Mailbox(filter.Mailboxes[0]);
        if (filter.Mailboxes.Length < 2) return;
        Raw(" ");
        List(filter.Mailboxes, mailbox => String(Encode(mailbox.Value)));
    }

    private void Return(SearchReturn? wanted)
    {
        if (wanted is null) return;
        Word(" RETURN ");
        List(Named(wanted.Items), item =>
        {
            Word(item);
            var sign = wanted.Partial.FromEnd ? "-" : "";
            if (item == "UPDATE" && !wanted.UpdateItems.IsEmpty)
            {
                Raw(" ");
                List(wanted.UpdateItems, Item);
            }
            if (item == "PARTIAL") Raw($" {sign}{wanted.Partial.Last}:{sign}{wanted.Partial.First}");
        });
    }

    private void ListArguments(ListCommand list)
    {
        if (list.Select != ListSelect.None)
        {
            Raw(" ");
            List(Named(list.Select), Word);
        }
        Argument(Encode(list.Reference));
        Raw(" ");
        if (list.Patterns.Length == 1) String(Encode(list.Patterns[0]), mayBeAtom: false);
        else List(list.Patterns, pattern => String(Encode(pattern), mayBeAtom: false));
        if (!list.Extended || (list.Return == ListReturn.None && (list.Select != ListSelect.None || list.Patterns.Length > 1))) return;
        Word(" RETURN ");
        List(Named(list.Return), option =>
        {
            Word(option);
            if (option != "STATUS") return;
            Raw(" ");
            List(list.StatusItems, Item);
        });
    }

    private static IEnumerable<string> Named<T>(T flags) where T : struct, Enum =>
        Enum.GetValues<T>().Where(value => Convert.ToInt32(value) != 0 && flags.HasFlag(value))
            .Select(value => value.ToString() == "SpecialUse" ? "SPECIAL-USE" : value.ToString().ToUpperInvariant());

    private string Quoted(string text) => spelling == Spelling.Shortest ? text : $"\"{text}\"";

    private void Item(FetchItem item)
    {
        if (item.Kind is FetchItemKind.Binary or FetchItemKind.BinarySize)
        {
            Word(item.Kind == FetchItemKind.BinarySize ? "BINARY.SIZE[" : item.Peek ? "BINARY.PEEK[" : "BINARY[");
            Raw(string.Join('.', item.Section!.Part) + "]");
            if (item.Partial is { } range) Raw($"<{range.Offset}.{range.Length}>");
            return;
        }
        if (item.Kind != FetchItemKind.BodySection)
        {
            Word(item.Kind switch
            {
                FetchItemKind.Rfc822Size => "RFC822.SIZE",
                FetchItemKind.Rfc822Header => "RFC822.HEADER",
                FetchItemKind.Rfc822Text => "RFC822.TEXT",
                _ => item.Kind.ToString(),
            });
            return;
        }
        var section = item.Section!;
        Word(item.Peek ? "BODY.PEEK[" : "BODY[");
        Raw(string.Join('.', section.Part));
        if (section.Text != SectionText.All)
        {
            if (section.Part.Length > 0) Raw(".");
            Word(section.Text switch
            {
                SectionText.HeaderFields => "HEADER.FIELDS ",
                SectionText.HeaderFieldsNot => "HEADER.FIELDS.NOT ",
                _ => section.Text.ToString(),
            });
            if (section.HeaderFields.Length > 0) List(section.HeaderFields, name => String(Encoding.ASCII.GetBytes(name)));
        }
        Raw("]");
        if (item.Partial is { } partial) Raw($"<{partial.Offset}.{partial.Length}>");
    }

    private void Item(StatusItem item) => Word(item == StatusItem.DeletedStorage ? "DELETED-STORAGE" : item.ToString());

    private void Flags(FlagList flags)
    {
        Raw(" ");
        _output.Flags(flags.System, flags.Keywords.AsSpan(), recent: false);
    }

    private void Stretch(AppendStretch stretch)
    {
        // Where a message begins with URLs or ends with a part of CATENATE, that is what it is made by.
        var inList = false;
        for (var i = 0; i < stretch.Steps.Length; i++)
        {
            switch (stretch.Steps[i])
            {
                case StartOfMessage start:
                    if (start.Flags.System != SystemFlags.None || start.Flags.Keywords.Length > 0) Flags(start.Flags);
                    if (start.Date is { } date)
                    {
                        Raw(" ");
                        _output.DateTime(date);
                    }
                    Raw(" ");
                    inList = stretch.Steps[i + 1] is UrlStep or LiteralStep { Use: LiteralUse.Url } || stretch.Place is AppendPlace.BehindPart or AppendPlace.InUtf8Part;
                    if (inList) Word("CATENATE (");
                    break;
                case EndOfMessage:
                    Raw(")");
                    break;
                case UrlStep url:
                    if (stretch.Steps[i - 1] is UrlStep) Raw(" ");
                    Word("URL ");
                    // A literal would be another step.
                    Raw($"\"{url.Url.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"");
                    break;
                case LiteralStep literal:
                    if (stretch.Steps[i - 1] is UrlStep) Raw(" ");
                    if (literal.Use == LiteralUse.Url) Word("URL ");
                    else if (stretch.Place is AppendPlace.InUtf8 or AppendPlace.InUtf8Part) Word("UTF8 (");
                    else if (inList) Word("TEXT ");
                    Raw($"{(literal.Header.Binary ? "~" : "")}{{{literal.Header.Length}{(literal.Header.Synchronizing ? "" : "+")}}}");
                    break;
            }
        }
    }

    private void Set(SequenceSet set)
    {
        Raw(" ");
        Ranges(set);
    }

    private void Ranges(SequenceSet set) => Raw(set.IsSavedResult ? "$" : string.Join(',', set.Ranges.Select(r =>
        r.First == r.Last ? Number(r.First) : $"{Number(r.First)}:{Number(r.Last)}")));

    private static string Number(uint number) => number == SequenceSet.Star ? "*" : number.ToString();

    private void IdString(string? text)
    {
        if (text is null) Word("NIL");
        else String(Encoding.UTF8.GetBytes(text), mayBeAtom: false);
    }

    private byte[] Encode(string name) => utf8 ? Encoding.UTF8.GetBytes(name) : ModifiedUtf7.Encode(name);

    private void Mailbox(MailboxName mailbox) => Argument(Encode(mailbox.Value));

    private void Argument(byte[] bytes)
    {
        Raw(" ");
        String(bytes);
    }

    private void String(byte[] bytes, bool mayBeAtom = true)
    {
        if (spelling == Spelling.Shortest)
        {
            var written = new ArrayBufferWriter<byte>();
            if (mayBeAtom) written.AString(bytes);
            else written.String(bytes);
            _output.Raw(written.WrittenSpan);
            return;
        }
        Raw($"{{{bytes.Length}{(spelling == Spelling.Literals ? "" : "+")}}}\r\n");
        _output.Raw(bytes);
    }

    private void List<T>(IEnumerable<T> items, Action<T> write)
    {
        Raw("(");
        Joined(items, write);
        Raw(")");
    }

    private void Joined<T>(IEnumerable<T> items, Action<T> write)
    {
        var first = true;
        foreach (var item in items)
        {
            if (!first) Raw(" ");
            first = false;
            write(item);
        }
    }

    private void Word(string word) => Raw(spelling == Spelling.NonSynchronizingLowerCase ? word.ToLowerInvariant() : word.ToUpperInvariant());

    private void Raw(string text) => _output.Raw(Encoding.ASCII.GetBytes(text));
}
