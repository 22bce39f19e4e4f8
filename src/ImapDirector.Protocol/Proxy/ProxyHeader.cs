using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace ImapDirector.Protocol.Proxy;

/// <summary>What a load balancer says about its client before the client's first byte: the PROXY protocol, versions 1 and 2.</summary>
/// <param name="Source">The client's address and port; <c>null</c> when the balancer speaks for itself (<c>LOCAL</c>, <c>UNKNOWN</c>), as in a health check.</param>
/// <param name="Destination">The address and port the client connected to; <c>null</c> with <paramref name="Source"/>.</param>
public sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    /// <summary>The balancer speaks for itself.</summary>
    internal static readonly ProxyHeader Unknown = new(null, null);

    /// <summary>Reads exactly the header, and leaves what follows in the pipe.</summary>
    /// <returns><c>null</c> when the bytes are none, are over the version's length, or the stream ends first: the connection is then only good to be closed.</returns>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public static async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await input.ReadAsync(cancellationToken);
            if (read.IsCanceled)
            {
                input.AdvanceTo(read.Buffer.Start);
                throw new OperationCanceledException("The read was cancelled.");
            }
            var found = Find(read.Buffer, out var header, out var length);
            if (found == ProxyHeaderFound.More)
            {
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (read.IsCompleted) return null;
                continue;
            }
            input.AdvanceTo(read.Buffer.GetPosition(length));
            return header;
        }
    }

    private static ProxyHeaderFound Find(ReadOnlySequence<byte> buffer, out ProxyHeader? header, out int length)
    {
        Span<byte> begin = stackalloc byte[ProxyHeaderV2.MaxLength];
        begin = begin[..(int)Math.Min(buffer.Length, begin.Length)];
        buffer.Slice(0, begin.Length).CopyTo(begin);
        return IsBeginOf(begin, ProxyHeaderV2.Signature)
            ? ProxyHeaderV2.Find(begin, out header, out length)
            : ProxyHeaderV1.Find(begin, out header, out length);
    }

    /// <summary>Whether <paramref name="bytes"/> and <paramref name="expected"/> agree as far as both go.</summary>
    internal static bool IsBeginOf(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected) =>
        bytes.Length < expected.Length ? expected.StartsWith(bytes) : bytes.StartsWith(expected);
}

/// <summary>What the first bytes of a connection are.</summary>
internal enum ProxyHeaderFound
{
    /// <summary>The beginning of a header, as far as one can tell.</summary>
    More,
    /// <summary>No header, whatever follows.</summary>
    None,
    /// <summary>A whole header.</summary>
    Header,
}
