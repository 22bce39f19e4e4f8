using System.Buffers;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using ImapDirector.Network;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication.Ldap;

/// <summary>One connection to the directory, one question at a time.</summary>
internal sealed class LdapConnection : IAsyncDisposable
{
    private const int DefaultPort = 389;
    private const int DefaultTlsPort = 636;
    private const int MaxMessageBytes = 64 * 1024;
    private const int MaxEntries = 16;

    private readonly Connection _connection;
    private int _lastId;

    private LdapConnection(Connection connection) => _connection = connection;

    /// <summary>Whom the directory takes us for: the lookup name, when that is so, or somebody else.</summary>
    public bool IsForLookups { get; private set; }

    /// <summary>Connects, with TLS where the options say so.</summary>
    /// <exception cref="IOException">It was lost, or the directory does not do what was asked; so do the exceptions of <see cref="Connection"/>.</exception>
    public static async Task<LdapConnection> ConnectAsync(LdapDatabaseOptions options, CancellationToken cancellationToken)
    {
        var isImplicit = options.Url.Scheme == "ldaps";
        var port = options.Url.IsDefaultPort || options.Url.Port <= 0 ? isImplicit ? DefaultTlsPort : DefaultPort : options.Url.Port;
        var host = options.Url.IdnHost;
        EndPoint endPoint = IPAddress.TryParse(options.Url.DnsSafeHost, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);
        var connection = new LdapConnection(await Connection.ConnectAsync(endPoint, cancellationToken));
        try
        {
            if (options.StartTls)
            {
                var answer = await connection.AskAsync(LdapMessages.StartTls(connection.NextId()), LdapMessages.ExtendedResponse, cancellationToken);
                if (answer.Result != 0) throw new IOException("The directory refuses STARTTLS.");
            }
            if (options.StartTls || isImplicit) await connection._connection.StartTlsClientAsync(OutgoingTls.For(options.Url.DnsSafeHost, options.CaFile), cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Logs in (simple bind).</summary>
    /// <returns>The result code.</returns>
    public async Task<int> BindAsync(string name, ReadOnlyMemory<byte> password, bool isForLookups, CancellationToken cancellationToken)
    {
        IsForLookups = false;
        var message = LdapMessages.Bind(NextId(), name, password.Span);
        try
        {
            var result = (await AskAsync(message, LdapMessages.BindResponse, cancellationToken)).Result;
            IsForLookups = isForLookups && result == 0;
            return result;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(message);
        }
    }

    /// <summary>Searches below a base; at most two entries are asked for.</summary>
    public async Task<(int Result, List<LdapMessage> Entries)> SearchAsync(string searchBase, LdapFilter filter, UserName user, IReadOnlyList<string> attributes,
        int seconds, CancellationToken cancellationToken)
    {
        var id = NextId();
        await SendAsync(LdapMessages.Search(id, searchBase, filter, user, attributes, seconds), cancellationToken);
        var entries = new List<LdapMessage>();
        for (var read = 0; read < MaxEntries; read++)
        {
            var message = await ReadAsync(id, cancellationToken);
            if (message.Kind == LdapMessages.SearchResultDone) return (message.Result, entries);
            if (message.Kind == LdapMessages.SearchResultEntry) entries.Add(message);
            else if (message.Kind != LdapMessages.SearchResultReference) break;
        }
        throw new IOException("The directory answers with more than was asked for.");
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private int NextId() => _lastId = (_lastId & 0xFFFFFF) + 1;

    private async Task<LdapMessage> AskAsync(byte[] message, int kind, CancellationToken cancellationToken)
    {
        await SendAsync(message, cancellationToken);
        var answer = await ReadAsync(_lastId, cancellationToken);
        return answer.Kind == kind ? answer : throw new IOException("The directory answers another question.");
    }

    private async Task SendAsync(byte[] message, CancellationToken cancellationToken)
    {
        _connection.Output.Write(message);
        await _connection.Output.FlushAsync(cancellationToken);
    }

    private async Task<LdapMessage> ReadAsync(int id, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _connection.Input.ReadAsync(cancellationToken);
            if (LengthOf(read.Buffer) is { } length)
            {
                if (length > MaxMessageBytes) throw new IOException("The directory sends too much.");
                if (read.Buffer.Length >= length)
                {
                    var bytes = read.Buffer.Slice(0, length).ToArray();
                    _connection.Input.AdvanceTo(read.Buffer.GetPosition(length));
                    try
                    {
                        var message = LdapMessages.Read(bytes);
                        return message.Id == id ? message : throw new IOException("The directory answers another question.");
                    }
                    catch (AsnContentException broken)
                    {
                        throw new IOException("The directory sends no LDAP.", broken);
                    }
                }
            }
            if (read.IsCompleted) throw new IOException("The directory closed the connection.");
            _connection.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    // What a whole message takes, once its header is there: a SEQUENCE of definite length, of at most four bytes.
    private static long? LengthOf(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[6];
        header = header[..(int)Math.Min(buffer.Length, header.Length)];
        buffer.Slice(0, header.Length).CopyTo(header);
        if (header.Length < 2) return null;
        if (header[0] != 0x30 || header[1] is 0x80 or > 0x84) throw new IOException("The directory sends no LDAP.");
        if (header[1] < 0x80) return 2 + header[1];
        var bytes = header[1] & 0x7F;
        if (header.Length < 2 + bytes) return null;
        long length = 0;
        foreach (var part in header.Slice(2, bytes)) length = (length << 8) | part;
        return 2 + bytes + length;
    }
}
