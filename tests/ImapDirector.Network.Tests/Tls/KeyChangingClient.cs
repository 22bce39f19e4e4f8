using System.Runtime.InteropServices;
using ImapDirector.Network.Tls.OpenSsl;
using Xunit;

namespace ImapDirector.Network.Tests.Tls;

/// <summary>A TLS client that changes its keys whenever it likes (RFC 8446 section 4.6.3): OpenSSL's, as .NET's has no way to say so.</summary>
internal sealed partial class KeyChangingClient : IDisposable
{
    private const string SslLibrary = "libssl.so.3";
    private const string CryptoLibrary = "libcrypto.so.3";

    private readonly Connection _connection;
    private readonly SslContextHandle _context = new(OpenSslCalls.SSL_CTX_new(TLS_client_method()));
    private readonly SslHandle _ssl;
    private readonly nint _received;
    private readonly nint _toSend;

    private KeyChangingClient(Connection connection)
    {
        _connection = connection;
        _ssl = new SslHandle(OpenSslCalls.SSL_new(_context));
        (_received, _toSend) = (OpenSslCalls.BIO_new(BIO_s_mem()), OpenSslCalls.BIO_new(BIO_s_mem()));
        // It owns both from here on.
        OpenSslCalls.SSL_set_bio(Ssl, _received, _toSend);
        SSL_set_connect_state(Ssl);
    }

    private nint Ssl => _ssl.DangerousGetHandle();

    /// <summary>Shakes hands with a server that is waiting for it.</summary>
    public static async Task<KeyChangingClient> ConnectAsync(Connection connection)
    {
        var client = new KeyChangingClient(connection);
        while (OpenSslCalls.SSL_do_handshake(client.Ssl) != 1)
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
    public unsafe Task SayAsync(byte[] bytes)
    {
        fixed (byte* from = bytes) Assert.Equal(bytes.Length, OpenSslCalls.SSL_write(Ssl, from, bytes.Length));
        return SendAsync();
    }

    /// <summary>Changes its keys, and says nothing else.</summary>
    /// <param name="times">How often.</param>
    public Task ChangeKeysAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            Assert.Equal(1, SSL_key_update(Ssl, 0));
            Assert.Equal(1, OpenSslCalls.SSL_do_handshake(Ssl));
        }
        return SendAsync();
    }

    public void Dispose()
    {
        _ssl.Dispose();
        _context.Dispose();
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
    [LibraryImport(SslLibrary)]
    public static partial nint TLS_client_method();

    [LibraryImport(SslLibrary)]
    public static partial void SSL_set_connect_state(nint ssl);

    [LibraryImport(SslLibrary)]
    private static partial int SSL_key_update(nint ssl, int kind);

    [LibraryImport(CryptoLibrary)]
    public static partial nint BIO_s_mem();

    [LibraryImport(CryptoLibrary)]
    public static partial int BIO_write(nint bio, byte[] bytes, int count);

    [LibraryImport(CryptoLibrary)]
    public static partial int BIO_read(nint bio, [Out] byte[] bytes, int count);
#pragma warning restore SYSLIB1092, CA5392, IDE1006
}
