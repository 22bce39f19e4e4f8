using System.Collections.Immutable;
using System.Text;
using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Commands;
using ImapDirector.Storage.Store;
using ImapDirector.Storage.Store.Mime;
using ImapDirector.Storage.Tests.Commands;

namespace ImapDirector.Storage.Tests.Store.Mime;

/// <summary>A message, given byte for character, and what is told of it.</summary>
internal sealed class SummaryText
{
    private readonly byte[] _bytes;

    public SummaryText(string message)
    {
        _bytes = Encoding.Latin1.GetBytes(message);
        Summary = MessageSummarizer.Summarize(new MemoryStream(_bytes));
    }

    public MessageSummary Summary { get; }

    public string Envelope => Canonical(Summary.Envelope);

    public string Body => Canonical(Summary.Body);

    public string BodyStructure => Canonical(Summary.BodyStructure);

    /// <summary>The names of all sections that the message has, and some more.</summary>
    public IEnumerable<string> SectionNames()
    {
        yield return "HEADER";
        yield return "TEXT";
        yield return "1";
        yield return "1.MIME";
        foreach (var part in Summary.Parts)
        {
            if (part.Path.Length == 0) continue;
            yield return part.IsMessage ? $"{part.Path}.HEADER" : part.Path;
            yield return part.IsMessage ? $"{part.Path}.TEXT" : $"{part.Path}.MIME";
            if (part.IsMessage) yield return $"{part.Path}.1";
        }
    }

    /// <summary>A section as FETCH sends it; <c>null</c> for NIL.</summary>
    public string? Section(string name)
    {
        var numbers = name.Split('.').TakeWhile(static word => char.IsAsciiDigit(word[0])).Select(uint.Parse).ToImmutableArray();
        var text = name.Split('.')[^1] switch
        {
            "HEADER" => SectionText.Header,
            "TEXT" => SectionText.Text,
            "MIME" => SectionText.Mime,
            _ => SectionText.All,
        };
        using var content = new MemoryStream(_bytes);
        return SectionLocator.Find(new BodySection(numbers, text, []), Summary, content) is { } section ? SectionReader.Read(section, content) : null;
    }

    /// <summary>Whether a string was quoted or a literal is not seen in it.</summary>
    private static string Canonical(byte[] value) => ImapValue.Parse(value).ToString();
}
