using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>A directory (RFC 4511) on a real socket that answers what a test tells it to.</summary>
internal sealed class ScriptedDirectory : IAsyncDisposable
{
    public const byte BindRequest = 0x60, BindResponse = 0x61, SearchRequest = 0x63, SearchResultEntry = 0x64, SearchResultDone = 0x65, SearchResultReference = 0x73,
        ExtendedRequest = 0x77, ExtendedResponse = 0x78;

    private const byte Sequence = 0x30, Set = 0x31, Integer = 0x02, OctetString = 0x04, Enumerated = 0x0A;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    /// <param name="answer">Makes of what is asked (the operation's tag) and its number all that is sent; nothing leaves it waiting.</param>
    public ScriptedDirectory(Func<byte, byte, byte[]> answer)
    {
        Answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Func<byte, byte, byte[]> Answer { get; set; }

    /// <summary>What is shown in the handshake behind an answer to STARTTLS, whatever that answer is; without one there is no handshake.</summary>
    public X509Certificate2? Certificate { get; init; }

    public Uri Url => new($"ldap://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>The operations that were asked for, over all connections.</summary>
    public ConcurrentQueue<byte> Asked { get; } = new();

    /// <summary>First bytes that were no message of LDAP.</summary>
    public ConcurrentQueue<byte> Strange { get; } = new();

    /// <summary>How many connections there were.</summary>
    public int Connections { get; private set; }

    /// <summary>How many of them have ended.</summary>
    public int Ended { get; private set; }

    /// <summary>A message with a result in it.</summary>
    public static byte[] Result(byte id, byte kind, byte code, int diagnosticBytes = 0) =>
        Message(id, kind, [.. Tlv(Enumerated, [code]), .. Tlv(OctetString, []), .. Tlv(OctetString, new byte[diagnosticBytes])]);

    /// <summary>An entry with one attribute.</summary>
    public static byte[] Entry(byte id, string dn, string attribute, string value)
    {
        byte[] values = Tlv(Set, Text(value)), pair = Tlv(Sequence, [.. Text(attribute), .. values]);
        return Message(id, SearchResultEntry, [.. Text(dn), .. Tlv(Sequence, pair)]);
    }

    /// <summary>A reference to another directory (RFC 4511 section 4.5.3).</summary>
    public static byte[] Reference(byte id, Uri elsewhere) => Message(id, SearchResultReference, Text(elsewhere + "dc=example,dc=com"));

    /// <summary>Any message.</summary>
    public static byte[] Message(byte id, byte kind, byte[] content) => Tlv(Sequence, [.. Tlv(Integer, [id]), .. Tlv(kind, content)]);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
    }

    private static byte[] Text(string text) => Tlv(OctetString, System.Text.Encoding.UTF8.GetBytes(text));

    private static byte[] Tlv(byte tag, byte[] content) => content.Length switch
    {
        < 0x80 => [tag, (byte)content.Length, .. content],
        <= 0xFFFF => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content],
        _ => [tag, 0x83, (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length, .. content],
    };

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException or OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        Connections++;
        using (client)
        {
            Stream stream = client.GetStream();
            try
            {
                while (await ReadAsync(stream) is { } message)
                {
                    // Its number takes one byte, in tests.
                    var (id, operation) = (message[2], message[3]);
                    Asked.Enqueue(operation);
                    await stream.WriteAsync(Answer(operation, id), _stopping.Token);
                    if (operation != ExtendedRequest || Certificate is null) continue;
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate }, _stopping.Token);
                    stream = tls;
                }
            }
            catch (Exception gone) when (gone is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
            {
                // The client has had enough.
            }
            Ended++;
        }
    }

    // What is inside the SEQUENCE; nothing at the end.
    private async Task<byte[]?> ReadAsync(Stream stream)
    {
        var header = new byte[2];
        if (await stream.ReadAtLeastAsync(header.AsMemory(0, 1), 1, throwOnEndOfStream: false, _stopping.Token) == 0) return null;
        if (header[0] != Sequence)
        {
            Strange.Enqueue(header[0]);
            await stream.CopyToAsync(Stream.Null, _stopping.Token);
            return null;
        }
        await stream.ReadExactlyAsync(header.AsMemory(1), _stopping.Token);
        var more = new byte[header[1] > 0x80 ? header[1] & 0x7F : 0];
        await stream.ReadExactlyAsync(more, _stopping.Token);
        var message = new byte[more.Length == 0 ? header[1] : more.Aggregate(0, static (length, part) => (length << 8) | part)];
        await stream.ReadExactlyAsync(message, _stopping.Token);
        return message;
    }
}
