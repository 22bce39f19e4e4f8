using System.Runtime.InteropServices;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>A TLS client that changes its keys whenever it likes (RFC 8446 section 4.6.3): OpenSSL's, as .NET's has no way to say so.</summary>
internal sealed partial class KeyChangingClient : IDisposable
{
    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    private readonly Connection _connection;
    private readonly nint _context;
    private readonly nint _ssl;
    private readonly nint _received;
    private readonly nint _toSend;

    private KeyChangingClient(Connection connection)
    {
        _connection = connection;
        _context = SSL_CTX_new(TLS_client_method());
        _ssl = SSL_new(_context);
        (_received, _toSend) = (BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        // It owns both from here on.
        SSL_set_bio(_ssl, _received, _toSend);
        SSL_set_connect_state(_ssl);
    }

    /// <summary>Shakes hands with a server that is waiting for it.</summary>
    public static async Task<KeyChangingClient> ConnectAsync(Connection connection)
    {
        var client = new KeyChangingClient(connection);
        while (SSL_do_handshake(client._ssl) != 1)
        {
            await client.SendAsync();
            var read = await connection.Input.ReadAsync().AsTask().WaitAsync(TestBytes.Patience);
            foreach (var piece in read.Buffer) _ = BIO_write(client._received, piece.ToArray(), piece.Length);
            connection.Input.AdvanceTo(read.Buffer.End);
        }
        await client.SendAsync();
        return client;
    }

    /// <summary>Says something.</summary>
    public Task SayAsync(byte[] bytes)
    {
        Assert.Equal(bytes.Length, SSL_write(_ssl, bytes, bytes.Length));
        return SendAsync();
    }

    /// <summary>Changes its keys, and says nothing else.</summary>
    /// <param name="times">How often.</param>
    public Task ChangeKeysAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.Equal(1, SSL_key_update(_ssl, 0));
            Assert.Equal(1, SSL_do_handshake(_ssl));
        }
        return SendAsync();
    }

    public void Dispose()
    {
        SSL_free(_ssl);
        SSL_CTX_free(_context);
    }

    private async Task SendAsync()
    {
        var buffer = new byte[64 * 1024];
        for (int count; (count = BIO_read(_toSend, buffer, buffer.Length)) > 0;)
        {
            await _connection.Output.WriteAsync(buffer.AsMemory(0, count)).AsTask().WaitAsync(TestBytes.Patience);
        }
    }

#pragma warning disable SYSLIB1092, CA5392, IDE1006 // They are found as the system finds libraries, and these are their names.
    [LibraryImport(Ssl)]
    private static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    private static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl)]
    private static partial nint SSL_new(nint context);

    [LibraryImport(Ssl)]
    private static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_bio(nint ssl, nint from, nint to);

    [LibraryImport(Ssl)]
    private static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    private static partial int SSL_key_update(nint ssl, int kind);

    [LibraryImport(Ssl)]
    private static partial int SSL_write(nint ssl, byte[] bytes, int count);

    [LibraryImport(Crypto)]
    private static partial nint BIO_s_mem();

    [LibraryImport(Crypto)]
    private static partial nint BIO_new(nint method);

    [LibraryImport(Crypto)]
    private static partial int BIO_write(nint bio, byte[] bytes, int count);

    [LibraryImport(Crypto)]
    private static partial int BIO_read(nint bio, [Out] byte[] bytes, int count);
#pragma warning restore SYSLIB1092, CA5392, IDE1006
}
