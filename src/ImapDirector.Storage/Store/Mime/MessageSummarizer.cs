using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Computes what FETCH and SEARCH need of a message, so that they do not have to read it.</summary>
internal static class MessageSummarizer
{
    /// <summary>Reads the message once, from its beginning. Whatever is in it, there is a summary.</summary>
    /// <exception cref="IOException">The stream fails.</exception>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public static MessageSummary Summarize(Stream message, CancellationToken cancellationToken = default)
    {
        var root = PartScanner.Scan(message, cancellationToken);
        var parts = ImmutableArray.CreateBuilder<PartRecord>();
        Number(root, "", parts);
        return new MessageSummary(Written(output => EnvelopeWriter.Write(output, root.Header)),
            Written(output => BodyStructureWriter.Write(output, root, isExtended: false)),
            Written(output => BodyStructureWriter.Write(output, root, isExtended: true)), parts.ToImmutable(), SentDate.Of(root.Header));
    }

    /// <summary>Gives each part its number (RFC 3501 section 6.4.5): a message's own body has no number of its own when it is a multipart, and is 1 otherwise.</summary>
    private static void Number(MimePart part, string path, ImmutableArray<PartRecord>.Builder parts)
    {
        parts.Add(Record(part, path));
        if (part.Children.Count == 0) return;
        if (!part.IsMultipart)
        {
            Number(part.Children[0], part.IsMessage ? Below(path, 1) : path, parts);
            return;
        }
        for (var i = 0; i < part.Children.Count; i++) Number(part.Children[i], Below(path, i + 1), parts);
    }

    private static PartRecord Record(MimePart part, string path) => new(path, part.IsMessage, part.HeaderStart, part.BodyStart, part.End,
        $"{Lower(part.ShownType.Type)}/{Lower(part.ShownType.Subtype)}",
        part.Type.Is("text") && part.Type.Find("charset") is { } charset ? Lower(charset) : null, Lower(TransferEncoding.Of(part.Header)));

    private static string Below(string path, int number)
    {
        var last = number.ToString(CultureInfo.InvariantCulture);
        return path.Length == 0 ? last : $"{path}.{last}";
    }

    private static string Lower(byte[] ascii) => Encoding.Latin1.GetString(ascii).ToLowerInvariant();

    private static byte[] Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return output.WrittenSpan.ToArray();
    }
}
