using System.Text;
using ImapDirector.Protocol.Text;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Search;

/// <summary>Reads a message as the text index takes it: everything that a text search would look at, as it is compared.</summary>
internal static class IndexedTextReader
{
    /// <summary>Of each message no more than this goes into the index; the rest is looked for in the message itself.</summary>
    private const int MaxCharacters = 1024 * 1024;

    /// <exception cref="StoreException">The message cannot be read.</exception>
    public static IndexedText Read(UserStore store, long contentId)
    {
        var summary = store.Contents.LoadSummary(contentId);
        using var content = store.Contents.Open(contentId);
        var text = new StringBuilder();
        var isComplete = true;
        if (summary.Texts is { } texts)
            foreach (var known in new[] { texts.From, texts.To, texts.Cc, texts.Bcc, texts.Subject }) text.Append(known).Append('\n');
        foreach (var part in summary.Parts)
        {
            // What is too long already gets no longer: a message can have very many headers.
            if (text.Length > MaxCharacters) break;
            foreach (var (name, value) in MessageText.ReadHeader(content, part.HeaderStart, part.BodyStart)) text.Append(name).Append(": ").Append(value).Append('\n');
            if (!MessageText.IsText(part)) continue;
            using var reader = MessageText.OpenPart(content, part);
            isComplete &= AppendAll(text, reader);
            text.Append('\n');
        }
        isComplete &= text.Length <= MaxCharacters;
        if (text.Length > MaxCharacters) text.Length = MaxCharacters;
        // A NUL would end the text for the tokenizer.
        var folded = CaseMap.Fold(text.Replace('\0', ' ').ToString(), MaxCharacters, out var isWhole);
        return new IndexedText(contentId, folded, isComplete && isWhole);
    }

    /// <returns>Whether there was room for all of it.</returns>
    private static bool AppendAll(StringBuilder text, StreamReader reader)
    {
        var piece = new char[8 * 1024];
        for (int read; (read = reader.Read(piece, 0, piece.Length)) > 0;)
        {
            if (text.Length > MaxCharacters) return false;
            text.Append(piece, 0, read);
        }
        return true;
    }
}
