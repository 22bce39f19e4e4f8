using System.Buffers;
using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Store.Mime;

/// <summary>Writes header values as IMAP strings. Folds are undone, and a NUL, which no string may hold, becomes U+FFFD.</summary>
internal static class ImapText
{
    private static readonly SearchValues<byte> Unwanted = SearchValues.Create([0, (byte)'\r', (byte)'\n']);
    private static readonly byte[] Replacement = "\uFFFD"u8.ToArray();

    /// <summary>Writes a value as it is but for its folds.</summary>
    public static void Text(this IBufferWriter<byte> output, ReadOnlySpan<byte> value)
    {
        if (!value.ContainsAny(Unwanted)) output.String(value);
        else Rewrite(output, value, static (source, target) =>
        {
            var length = 0;
            for (var i = 0; i < source.Length; i++)
            {
                switch (source[i])
                {
                    case 0:
                        Replacement.CopyTo(target[length..]);
                        length += Replacement.Length;
                        break;
                    // The line end goes; that it parted two words stays visible.
                    case (byte)'\r' or (byte)'\n':
                        if (i + 1 == source.Length || source[i + 1] is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) target[length++] = (byte)' ';
                        break;
                    default:
                        target[length++] = source[i];
                        break;
                }
            }
            return length;
        });
    }

    /// <summary>Writes a value for people to read: runs of white space become one space, those at both ends go.</summary>
    public static void Human(this IBufferWriter<byte> output, ReadOnlySpan<byte> value) => Rewrite(output, value, static (source, target) =>
    {
        var length = 0;
        var space = false;
        foreach (var octet in source)
        {
            if (octet is (byte)'\r' or (byte)'\n') continue;
            if (octet is (byte)' ' or (byte)'\t')
            {
                space = length > 0;
                continue;
            }
            if (space) target[length++] = (byte)' ';
            space = false;
            if (octet == 0)
            {
                Replacement.CopyTo(target[length..]);
                length += Replacement.Length;
            }
            else
            {
                target[length++] = octet;
            }
        }
        return length;
    });

    private static void Rewrite(IBufferWriter<byte> output, ReadOnlySpan<byte> value, Func<ReadOnlySpan<byte>, Span<byte>, int> rewrite)
    {
        var rented = ArrayPool<byte>.Shared.Rent(value.Length + value.Count((byte)0) * (Replacement.Length - 1));
        try
        {
            var length = rewrite(value, rented);
            output.String(rented.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
