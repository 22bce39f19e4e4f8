using System.Collections.Immutable;
using System.Globalization;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Numbers the parts of a message (RFC 3501 section 6.4.5).</summary>
internal sealed class PartTable
{
    private readonly ImmutableArray<PartRecord>.Builder _records = ImmutableArray.CreateBuilder<PartRecord>();

    public static ImmutableArray<PartRecord> Of(MimePart message)
    {
        var table = new PartTable();
        table.AddMessage(message, "");
        return table._records.DrainToImmutable();
    }

    private void AddMessage(MimePart message, string path)
    {
        Add(message, path, isMessage: true);
        // The body of a message that is not multipart is its part 1, which needs no record unless it is a message again.
        if (message.Kind == PartKind.Message) AddMessage(message.Children[0], Child(path, 1));
        else AddChildren(message, path);
    }

    private void AddPart(MimePart part, string path)
    {
        Add(part, path, isMessage: false);
        if (part.Kind == PartKind.Message) AddMessage(part.Children[0], path);
        else AddChildren(part, path);
    }

    private void AddChildren(MimePart multipart, string path)
    {
        if (multipart.Kind != PartKind.Multipart) return;
        for (var i = 0; i < multipart.Children.Count; i++) AddPart(multipart.Children[i], Child(path, i + 1));
        // BODYSTRUCTURE has to show a part where there is none: it can be fetched, and is empty.
        if (multipart.Children.Count == 0)
            _records.Add(new PartRecord(Child(path, 1), false, Offset(multipart.End), Offset(multipart.End), Offset(multipart.End), "text/plain", null, "7bit"));
    }

    private void Add(MimePart part, string path, bool isMessage) => _records.Add(new PartRecord(path, isMessage,
        Offset(part.HeaderStart), Offset(part.BodyStart), Offset(part.End), part.TypeName, part.Charset, part.Content.EncodingName));

    private static string Child(string path, int number) =>
        path.Length == 0 ? number.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{path}.{number}");

    // Messages are limited far below this; a stream that is not still has a summary.
    private static int Offset(long position) => (int)Math.Min(position, int.MaxValue);
}
