using System.Buffers;
using System.Text;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>The parameters of a Content-Type or Content-Disposition. The sections of a long one (RFC 2231 section 3) are put together; what is
/// encoded (section 4) stays as written and keeps the asterisk on its name.</summary>
internal sealed class ParameterList
{
    private readonly List<(byte[] Name, byte[] Value)> _parameters = [];

    public int Count => _parameters.Count;

    /// <summary>Reads the parameters from the cursor on. What is malformed is passed over up to the next semicolon.</summary>
    public static ParameterList Read(ref HeaderCursor cursor)
    {
        var list = new ParameterList();
        var sections = new List<Section>();
        var name = new ArrayBufferWriter<byte>();
        var value = new ArrayBufferWriter<byte>();
        for (var read = 0; read < MimeLimits.MaxParameters && !cursor.IsEnd;)
        {
            name.ResetWrittenCount();
            value.ResetWrittenCount();
            if (!ReadOne(ref cursor, name, value))
            {
                if (!cursor.IsEnd) cursor.Position++;
                continue;
            }
            read++;
            if (Section.Of(name.WrittenSpan, value.WrittenSpan, sections.Count) is { } section) sections.Add(section);
            else list._parameters.Add((name.WrittenSpan.ToArray(), value.WrittenSpan.ToArray()));
        }
        list.Join(sections);
        return list;
    }

    /// <summary>The value of the first parameter of that name, in any case of letters; <c>null</c> if there is none.</summary>
    public byte[]? Find(ReadOnlySpan<byte> name)
    {
        foreach (var (known, value) in _parameters)
            if (Ascii.EqualsIgnoreCase(known, name)) return value;
        return null;
    }

    /// <summary>Writes the names and values, with a space between each.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        var first = true;
        foreach (var (name, value) in _parameters)
        {
            if (!first) output.Raw(" "u8);
            first = false;
            output.Text(name);
            output.Raw(" "u8);
            output.Text(value);
        }
    }

    private static bool ReadOne(ref HeaderCursor cursor, ArrayBufferWriter<byte> name, ArrayBufferWriter<byte> value)
    {
        if (!cursor.TryTake((byte)';') || cursor.SkipSpace() != Progress.More) return false;
        if (cursor.Token(name) != Progress.More || !cursor.TryTake((byte)'=')) return false;
        var space = cursor.SkipSpace();
        if (space != Progress.More) return space == Progress.End;
        return cursor.Current switch
        {
            (byte)'"' => cursor.QuotedString(value),
            // An encoded word without its quotes: name==?utf-8?q?…?=
            (byte)'=' => cursor.Word(value),
            _ => cursor.Token(value),
        } != Progress.Broken;
    }

    private void Join(List<Section> sections)
    {
        sections.Sort();
        for (int start = 0, end; start < sections.Count; start = end)
        {
            var isWhole = true;
            var isEncoded = false;
            for (end = start; end < sections.Count && sections[start].HasNameOf(sections[end]); end++)
            {
                isWhole &= sections[end].Number == end - start;
                isEncoded |= sections[end].IsEncoded;
            }
            if (isWhole) _parameters.Add(Join(sections[start..end], isEncoded));
            else foreach (var section in sections[start..end]) _parameters.Add((section.FullName, section.Value));
        }
    }

    private static (byte[] Name, byte[] Value) Join(List<Section> sections, bool isEncoded)
    {
        var value = new ArrayBufferWriter<byte>();
        // The first section has to name a charset and a language for those behind it; both may be empty.
        if (isEncoded && !sections[0].IsEncoded) value.Write("''"u8);
        foreach (var section in sections)
        {
            if (isEncoded && !section.IsEncoded) WriteEscaped(value, section.Value);
            else value.Write(section.Value);
        }
        byte[] name = isEncoded ? [.. sections[0].Name, (byte)'*'] : sections[0].Name;
        return (name, value.WrittenSpan.ToArray());
    }

    private static void WriteEscaped(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        for (int percent; (percent = value.IndexOf((byte)'%')) >= 0; value = value[(percent + 1)..])
        {
            output.Write(value[..percent]);
            output.Write("%25"u8);
        }
        output.Write(value);
    }

    /// <summary>One of the <c>name*n*</c> that make a long value.</summary>
    private sealed record Section(byte[] Name, int Number, bool IsEncoded, byte[] Value, int Place) : IComparable<Section>
    {
        private const int MaxDigits = 6;

        public byte[] FullName => [.. Name, .. Encoding.ASCII.GetBytes(IsEncoded ? $"*{Number}*" : $"*{Number}")];

        /// <returns><c>null</c> when the name is not one of a section.</returns>
        public static Section? Of(ReadOnlySpan<byte> fullName, ReadOnlySpan<byte> value, int place)
        {
            var star = fullName.IndexOf((byte)'*');
            if (star < 0) return null;
            var rest = fullName[(star + 1)..];
            var digits = rest.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits < 0) digits = rest.Length;
            var isEncoded = rest.IsEmpty || (digits < rest.Length && rest[digits] == '*');
            var isSection = rest.Length - digits == (isEncoded && !rest.IsEmpty ? 1 : 0);
            if (!isSection || digits > MaxDigits) return null;
            var number = 0;
            foreach (var digit in rest[..digits]) number = number * 10 + (digit - '0');
            return new Section(fullName[..star].ToArray(), number, isEncoded, value.ToArray(), place);
        }

        /// <summary>Whether both are of one value. Names may be 8-bit, where <see cref="Ascii"/> finds nothing equal.</summary>
        public bool HasNameOf(Section other) => Name.AsSpan().SequenceEqual(other.Name) || Ascii.EqualsIgnoreCase(Name, other.Name);

        public int CompareTo(Section? other)
        {
            if (other is null) return 1;
            var order = Name.AsSpan().SequenceCompareTo(other.Name);
            if (order == 0) order = Number.CompareTo(other.Number);
            return order != 0 ? order : Place.CompareTo(other.Place);
        }
    }
}
