using System.Text;
using ImapDirector.Storage.Commands;

namespace ImapDirector.Storage.Tests.Commands;

/// <summary>Reads what a section would send.</summary>
internal static class SectionReader
{
    public static string Read(SectionBytes section, Stream content)
    {
        var text = new StringBuilder();
        foreach (var range in section.Ranges)
        {
            var bytes = new byte[range.Length];
            content.Position = range.Start;
            content.ReadExactly(bytes);
            text.Append(Encoding.Latin1.GetString(bytes));
        }
        return text.Append(Encoding.Latin1.GetString(section.Suffix.Span)).ToString();
    }
}
