using System.Collections.Immutable;
using ImapDirector.Storage.Store.Mime;

namespace ImapDirector.Storage.Store;

/// <summary>How a <see cref="MessageSummary"/> lies in the database. A summary of another version is computed anew from the message.</summary>
internal static class SummaryFormat
{
    private const byte Version = 2;

    public static byte[] Encode(MessageSummary summary)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(Version);
        WriteBytes(writer, summary.Envelope);
        WriteBytes(writer, summary.Body);
        WriteBytes(writer, summary.BodyStructure);
        writer.Write(summary.SentDate?.DayNumber ?? -1);
        writer.Write7BitEncodedInt(summary.Parts.Length);
        foreach (var part in summary.Parts)
        {
            writer.Write(part.Path);
            writer.Write(part.IsMessage);
            writer.Write7BitEncodedInt(part.HeaderStart);
            writer.Write7BitEncodedInt(part.BodyStart);
            writer.Write7BitEncodedInt(part.End);
            writer.Write(part.ContentType);
            writer.Write(part.Charset is not null);
            if (part.Charset is not null) writer.Write(part.Charset);
            writer.Write(part.Encoding);
        }
        writer.Write(summary.Texts is not null);
        if (summary.Texts is { } texts)
            foreach (var text in new[] { texts.From, texts.To, texts.Cc, texts.Bcc, texts.Subject }) WriteText(writer, text);
        return bytes.ToArray();
    }

    /// <returns><c>null</c> when it was written by another version.</returns>
    /// <exception cref="EndOfStreamException">It was cut.</exception>
    public static MessageSummary? Decode(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes, writable: false));
        if (reader.ReadByte() != Version) return null;
        var (envelope, body, bodyStructure) = (ReadBytes(reader), ReadBytes(reader), ReadBytes(reader));
        var day = reader.ReadInt32();
        var count = reader.Read7BitEncodedInt();
        // Each has some bytes: a damaged number must not become a large array.
        if (count > bytes.Length) throw new EndOfStreamException();
        var parts = new PartRecord[count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new PartRecord(reader.ReadString(), reader.ReadBoolean(), reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt(),
                reader.Read7BitEncodedInt(), reader.ReadString(), reader.ReadBoolean() ? reader.ReadString() : null, reader.ReadString());
        }
        var texts = reader.ReadBoolean() ? new HeaderTexts(ReadText(reader), ReadText(reader), ReadText(reader), ReadText(reader), ReadText(reader)) : null;
        return new MessageSummary(envelope, body, bodyStructure, ImmutableArray.Create(parts), day < 0 ? null : DateOnly.FromDayNumber(day), texts);
    }

    private static void WriteText(BinaryWriter writer, string? text)
    {
        writer.Write(text is not null);
        if (text is not null) writer.Write(text);
    }

    private static string? ReadText(BinaryReader reader) => reader.ReadBoolean() ? reader.ReadString() : null;

    /// <summary>Whether <see cref="Decode"/> failed because of the bytes.</summary>
    public static bool IsDamage(Exception failure) => failure is IOException or FormatException or ArgumentException or OverflowException;

    private static void WriteBytes(BinaryWriter writer, byte[] bytes)
    {
        writer.Write7BitEncodedInt(bytes.Length);
        writer.Write(bytes);
    }

    private static byte[] ReadBytes(BinaryReader reader)
    {
        var length = reader.Read7BitEncodedInt();
        if (length > reader.BaseStream.Length) throw new EndOfStreamException();
        var bytes = reader.ReadBytes(length);
        return bytes.Length == length ? bytes : throw new EndOfStreamException();
    }
}
