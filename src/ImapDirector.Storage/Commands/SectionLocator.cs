using System.Globalization;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Store;

namespace ImapDirector.Storage.Commands;

/// <summary>Finds the bytes that a section-spec names (RFC 3501 section 6.4.5), from the part table made at arrival.</summary>
internal static class SectionLocator
{
    public static readonly BodySection WholeMessage = new([], SectionText.All, []);
    public static readonly BodySection Header = new([], SectionText.Header, []);
    public static readonly BodySection Text = new([], SectionText.Text, []);

    /// <summary>Whether the section is <c>BODY[]</c>, for which no part has to be looked up.</summary>
    public static bool IsWholeMessage(this BodySection section) => section.Part.IsEmpty && section.Text == SectionText.All;

    /// <returns>The part that the numbers name; <c>null</c> when the message has none such.</returns>
    public static PartRecord? FindPart(BodySection section, MessageSummary summary) => FindPart(summary, PathOf(section.Part));

    /// <returns>Where the bytes are; <c>null</c> when the message has no such part, or the part no such text.</returns>
    public static SectionBytes? Find(BodySection section, MessageSummary summary, Stream content)
    {
        var path = PathOf(section.Part);
        switch (section.Text)
        {
            case SectionText.All:
                return path.Length == 0 ? SectionBytes.Of(0, content.Length) : FindPart(summary, path) is { } part ? SectionBytes.Of(part.BodyStart, part.End) : null;
            case SectionText.Mime:
                return FindPart(summary, path) is { } withMime ? SectionBytes.Of(withMime.HeaderStart, withMime.BodyStart) : null;
        }
        // The others belong to a message: the root, or one inside a message/rfc822 part.
        if (FindMessage(summary, path) is not { } message) return null;
        return section.Text switch
        {
            SectionText.Header => SectionBytes.Of(message.HeaderStart, message.BodyStart),
            SectionText.Text => SectionBytes.Of(message.BodyStart, message.End),
            SectionText.HeaderFields => HeaderFieldFilter.Select(content, message.HeaderStart, message.BodyStart, section.HeaderFields, wanted: true),
            SectionText.HeaderFieldsNot => HeaderFieldFilter.Select(content, message.HeaderStart, message.BodyStart, section.HeaderFields, wanted: false),
            _ => throw new InvalidOperationException($"The section text {section.Text} has no bytes."),
        };
    }

    private static string PathOf(IEnumerable<uint> numbers) =>
        string.Join('.', numbers.Select(static number => number.ToString(CultureInfo.InvariantCulture)));

    private static PartRecord? FindPart(MessageSummary summary, string path)
    {
        foreach (var part in summary.Parts)
            if (!part.IsMessage && part.Path == path) return part;
        // A message that is not multipart has its body as part 1 (RFC 3501 section 6.4.5).
        if (path != "1" && !path.EndsWith(".1", StringComparison.Ordinal)) return null;
        var outer = path.Length > 2 ? path[..^2] : "";
        return FindMessage(summary, outer) is { } message && !message.ContentType.StartsWith("multipart/", StringComparison.Ordinal) ? message : null;
    }

    private static PartRecord? FindMessage(MessageSummary summary, string path)
    {
        foreach (var part in summary.Parts)
            if (part.IsMessage && part.Path == path) return part;
        return null;
    }
}
