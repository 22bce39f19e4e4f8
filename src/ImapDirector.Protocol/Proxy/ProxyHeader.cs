using System.IO.Pipelines;
using System.Net;

namespace ImapDirector.Protocol;

/// <summary>What a load balancer says about its client before the client's first byte: the PROXY protocol, versions 1 and 2.</summary>
/// <param name="Source">The client's address and port; <c>null</c> when the balancer speaks for itself (<c>LOCAL</c>, <c>UNKNOWN</c>), as in a health check.</param>
/// <param name="Destination">The address and port the client connected to; <c>null</c> with <paramref name="Source"/>.</param>
public sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination)
{
    /// <summary>Reads exactly the header, and leaves what follows in the pipe.</summary>
    /// <returns><c>null</c> when the bytes are none, are over the version's length, or the stream ends first: the connection is then only good to be closed.</returns>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public static ValueTask<ProxyHeader?> ReadAsync(PipeReader input, CancellationToken cancellationToken) => throw new NotImplementedException();
}
