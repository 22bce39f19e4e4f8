using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Search;
using ImapDirector.Storage.Sessions;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>Writes the FETCH responses of one command.</summary>
internal sealed class FetchResponse
{
    private const int MaxReadAhead = 32;
    private const long MaxReadAheadBytes = 256 * 1024;

    private readonly MailSession _session;
    private readonly SelectedMailbox _selected;
    private readonly FetchCommand _command;
    private readonly bool _asksFlags;
    private readonly bool _asksUid;
    private readonly bool _addsUid;
    private readonly bool _asksModSeq;
    private readonly bool _needsSummary;
    private readonly bool _needsPreview;
    private readonly bool _needsContent;

    public FetchResponse(MailSession session, SelectedMailbox selected, FetchCommand command)
    {
        _session = session;
        _selected = selected;
        _command = command;
        foreach (var item in command.Items)
        {
            _asksFlags |= item.Kind == FetchItemKind.Flags;
            _asksModSeq |= item.Kind == FetchItemKind.ModSeq;
            _asksUid |= item.Kind == FetchItemKind.Uid;
            _needsSummary |= item.Kind is FetchItemKind.Envelope or FetchItemKind.Body or FetchItemKind.BodyStructure;
            _needsPreview |= item.Kind == FetchItemKind.Preview;
            if (SectionOf(item) is not { } section) continue;
            _needsContent = true;
            _needsSummary |= !section.IsWholeMessage();
        }
        // UIDFETCH begins with it.
        _addsUid = command.ByUid && !_asksUid && !session.Enabled.UidOnly;
    }

    /// <summary>Whether a part was asked for without an encoding that is not known here: the command as a whole fails (RFC 3516 section 4.3).</summary>
    public bool MetUnknownEncoding { get; private set; }

    /// <summary>Reads what the answers need of the messages, some at a time.</summary>
    public IEnumerable<(MessageRecord Message, LoadedMessage Loaded)> ReadAhead(IReadOnlyList<MessageRecord> messages)
    {
        if (!_needsSummary && !_needsPreview && !_needsContent)
        {
            foreach (var message in messages) yield return (message, default);
            yield break;
        }
        for (var start = 0; start < messages.Count;)
        {
            var (end, bytes) = (start, 0L);
            while (end < messages.Count && end - start < MaxReadAhead && (end == start || bytes + InMemory(messages[end]) <= MaxReadAheadBytes)) bytes += InMemory(messages[end++]);
            var loaded = _selected.Mail.Store.Contents.Load([.. messages.Skip(start).Take(end - start).Select(static message => message.ContentId)],
                _needsSummary || _needsPreview, _needsContent || _needsPreview, MaxReadAheadBytes);
            foreach (var one in loaded) yield return (messages[start++], one);
        }
    }

    /// <summary>Writes what the command asks of one message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="loaded">What <see cref="ReadAhead"/> has read of it.</param>
    /// <param name="marked">It was marked as seen for this answer: its flags are told as well.</param>
    /// <returns><c>false</c> when it was expunged meanwhile; then nothing was written.</returns>
    public async ValueTask<bool> WriteAsync(MessageRecord message, LoadedMessage loaded, bool marked)
    {
        MessageSummary? summary = null;
        Stream? content = null;
        try
        {
            // Everything that can fail is opened before the first byte of the answer.
            if (_needsSummary || _needsPreview) summary = _selected.Mail.Store.Contents.SummaryOf(loaded);
            if (_needsContent || _needsPreview) content = _selected.Mail.Store.Contents.Open(loaded);
        }
        catch (StoreException) when (_selected.Shared.Find(message.Uid) is null)
        {
            content?.Dispose();
            return false;
        }
        await using (content)
        {
            var output = _session.Output;
            _selected.BeginFetch(output, _selected.SequenceOf(message.Uid), message.Uid);
            var first = true;
            if (_addsUid || (marked && _session.Enabled.QResync && !_asksUid && !_session.Enabled.UidOnly)) WriteUid(output, message, ref first);
            if (marked && !_asksFlags) WriteFlags(output, message, ref first);
            if (!_asksModSeq && (_command.ChangedSince is not null || (marked && _session.Enabled.CondStore))) WriteModSeq(output, message, ref first);
            foreach (var item in _command.Items)
            {
                if (SectionOf(item) is { } section)
                {
                    Separate(output, ref first);
                    await _session.Turns.NextAsync();
                    if (content!.Length > WorkTurns.LongBytes) await _session.Turns.EnterAsync();
                    if (item.Kind is FetchItemKind.Binary or FetchItemKind.BinarySize) await WriteBinaryAsync(item, section, summary, content!);
                    else await WriteSectionAsync(item, section, summary, content!);
                    await output.FlushIfLargeAsync();
                }
                else if (item.Kind == FetchItemKind.Preview)
                {
                    Separate(output, ref first);
                    output.Raw("PREVIEW "u8);
                    output.NString(MessagePreview.Of(content!, summary!));
                }
                else
                {
                    WriteItem(output, item.Kind, message, summary, ref first);
                }
            }
            output.Raw(")\r\n"u8);
            await output.FlushIfLargeAsync();
        }
        return true;
    }

    /// <summary>What reading a message ahead takes: larger ones are read from their files as they are sent.</summary>
    private long InMemory(MessageRecord message) => !_needsContent && !_needsPreview || message.SizeBytes > MessageContents.MaxBodyBytesInDatabase ? 0 : message.SizeBytes;

    private void WriteItem(ResponseStream output, FetchItemKind kind, MessageRecord message, MessageSummary? summary, ref bool first)
    {
        switch (kind)
        {
            case FetchItemKind.Uid:
                WriteUid(output, message, ref first);
                break;
            case FetchItemKind.Flags:
                WriteFlags(output, message, ref first);
                break;
            case FetchItemKind.ModSeq:
                WriteModSeq(output, message, ref first);
                break;
            case FetchItemKind.EmailId:
                Separate(output, ref first);
                output.Raw("EMAILID ("u8);
                output.Raw(Encoding.ASCII.GetBytes(ObjectId.OfEmail(message, _selected.ObjectScope)));
                output.Raw(")"u8);
                break;
            case FetchItemKind.ThreadId:
                Separate(output, ref first);
                output.Raw("THREADID NIL"u8);
                break;
            case FetchItemKind.SaveDate:
                Separate(output, ref first);
                output.Raw("SAVEDATE "u8);
                output.DateTime(message.Saved);
                break;
            case FetchItemKind.InternalDate:
                Separate(output, ref first);
                output.Raw("INTERNALDATE "u8);
                output.DateTime(message.InternalDate);
                break;
            case FetchItemKind.Rfc822Size:
                Separate(output, ref first);
                output.Raw("RFC822.SIZE "u8);
                output.Number(message.SizeBytes);
                break;
            case FetchItemKind.Envelope:
                Separate(output, ref first);
                output.Raw("ENVELOPE "u8);
                output.Raw(summary!.Envelope);
                break;
            case FetchItemKind.Body:
                Separate(output, ref first);
                output.Raw("BODY "u8);
                output.Raw(summary!.Body);
                break;
            case FetchItemKind.BodyStructure:
                Separate(output, ref first);
                output.Raw("BODYSTRUCTURE "u8);
                output.Raw(summary!.BodyStructure);
                break;
            default:
                throw new InvalidOperationException($"The data item {kind} has no answer.");
        }
    }

    private static void WriteUid(ResponseStream output, MessageRecord message, ref bool first)
    {
        Separate(output, ref first);
        output.Raw("UID "u8);
        output.Number(message.Uid);
    }

    private void WriteFlags(ResponseStream output, MessageRecord message, ref bool first)
    {
        Separate(output, ref first);
        output.Raw("FLAGS "u8);
        output.Flags(message.Flags, message.Keywords.AsSpan(), _selected.IsRecent(message.Uid));
    }

    private static void WriteModSeq(ResponseStream output, MessageRecord message, ref bool first)
    {
        Separate(output, ref first);
        output.Raw("MODSEQ ("u8);
        output.Number(message.ModSeq);
        output.Raw(")"u8);
    }

    private static void Separate(ResponseStream output, ref bool first)
    {
        if (!first) output.Raw(" "u8);
        first = false;
    }

    private async ValueTask WriteSectionAsync(FetchItem item, BodySection section, MessageSummary? summary, Stream content)
    {
        var output = _session.Output;
        WriteSectionName(output, item);
        var bytes = section.IsWholeMessage() ? SectionBytes.Of(0, content.Length) : SectionLocator.Find(section, summary!, content);
        if (bytes is null)
        {
            output.Raw(" NIL"u8);
            return;
        }
        if (item.Partial is { } partial) bytes = bytes.Cut(partial.Offset, partial.Length);
        output.Raw(" "u8);
        await LiteralCopy.SendAsync(bytes, content, output);
    }

    private async ValueTask WriteBinaryAsync(FetchItem item, BodySection section, MessageSummary? summary, Stream content)
    {
        var output = _session.Output;
        output.Raw(item.Kind == FetchItemKind.BinarySize ? "BINARY.SIZE["u8 : "BINARY["u8);
        WritePart(output, section);
        output.Raw("]"u8);
        if (item.Partial is { } partial)
        {
            output.Raw("<"u8);
            output.Number(partial.Offset);
            output.Raw(">"u8);
        }
        output.Raw(" "u8);
        var binary = BinarySection.Find(section, summary, content, out var isUnknown);
        MetUnknownEncoding |= isUnknown;
        if (item.Kind == FetchItemKind.BinarySize) output.Number((ulong)(binary?.Length ?? 0));
        else if (binary is null) output.Raw("NIL"u8);
        else await binary.SendAsync(item.Partial, output);
    }

    private static void WritePart(ResponseStream output, BodySection section)
    {
        for (var i = 0; i < section.Part.Length; i++)
        {
            if (i > 0) output.Raw("."u8);
            output.Number(section.Part[i]);
        }
    }

    private static void WriteSectionName(ResponseStream output, FetchItem item)
    {
        switch (item.Kind)
        {
            case FetchItemKind.Rfc822:
                output.Raw("RFC822"u8);
                return;
            case FetchItemKind.Rfc822Header:
                output.Raw("RFC822.HEADER"u8);
                return;
            case FetchItemKind.Rfc822Text:
                output.Raw("RFC822.TEXT"u8);
                return;
        }
        var section = item.Section!;
        output.Raw("BODY["u8);
        WritePart(output, section);
        if (section.Text != SectionText.All && section.Part.Length > 0) output.Raw("."u8);
        output.Raw(section.Text switch
        {
            SectionText.All => ""u8,
            SectionText.Header => "HEADER"u8,
            SectionText.HeaderFields => "HEADER.FIELDS"u8,
            SectionText.HeaderFieldsNot => "HEADER.FIELDS.NOT"u8,
            SectionText.Text => "TEXT"u8,
            SectionText.Mime => "MIME"u8,
            _ => throw new InvalidOperationException($"The section text {section.Text} has no name."),
        });
        if (section.Text is SectionText.HeaderFields or SectionText.HeaderFieldsNot)
        {
            output.Raw(" ("u8);
            for (var i = 0; i < section.HeaderFields.Length; i++)
            {
                if (i > 0) output.Raw(" "u8);
                output.AString(Encoding.UTF8.GetBytes(section.HeaderFields[i]));
            }
            output.Raw(")"u8);
        }
        output.Raw("]"u8);
        if (item.Partial is not { } partial) return;
        output.Raw("<"u8);
        output.Number(partial.Offset);
        output.Raw(">"u8);
    }

    /// <summary>The section an item stands for; <c>null</c> when it needs no content.</summary>
    private static BodySection? SectionOf(FetchItem item) => item.Kind switch
    {
        FetchItemKind.BodySection or FetchItemKind.Binary or FetchItemKind.BinarySize => item.Section,
        FetchItemKind.Rfc822 => SectionLocator.WholeMessage,
        FetchItemKind.Rfc822Header => SectionLocator.Header,
        FetchItemKind.Rfc822Text => SectionLocator.Text,
        _ => null,
    };
}
