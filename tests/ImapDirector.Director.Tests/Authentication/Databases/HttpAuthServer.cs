using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImapDirector.Director.Tests.Authentication.Databases;

/// <summary>A service on a real socket that keeps each request as it came and answers what a test tells it to.</summary>
internal sealed class HttpAuthServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, string> _answer;
    private readonly Task _accepting;

    /// <param name="answer">Makes of a request the whole response; an empty one is never sent, and the connection stays open.</param>
    public HttpAuthServer(Func<string, string> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/auth");

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>A response with these headers.</summary>
    public static string Ok(params string[] headers) => $"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";

    /// <summary>A response whose head (its first line, its headers and the empty line) has so many bytes.</summary>
    public static string WithHead(int bytes, string response)
    {
        var filled = response.Replace("\r\n\r\n", "\r\nX-Filling: \r\n\r\n", StringComparison.Ordinal);
        var end = filled.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return filled.Insert(end, new string('x', bytes - (end + 4)));
    }

    /// <summary>A response that sends whoever asks to another place.</summary>
    public static string Redirect(Uri elsewhere) => $"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n";

    /// <summary>A response with JSON in it.</summary>
    public static string Json(string body) => $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
    }

    private static bool IsWhole(string request)
    {
        var end = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;
        var length = request[..end].Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal));
        return request.Length >= end + 4 + (length is null ? 0 : int.Parse(length["Content-Length: ".Length..], System.Globalization.CultureInfo.InvariantCulture));
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true) serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
        }
        catch (Exception stopped) when (stopped is SocketException or InvalidOperationException)
        {
            await Task.WhenAll(serving).WaitAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            var stream = client.GetStream();
            var buffer = new byte[65536];
            var request = new StringBuilder();
            try
            {
                int read;
                while ((read = await stream.ReadAsync(buffer)) > 0)
                {
                    request.Append(Encoding.Latin1.GetString(buffer, 0, read));
                    if (!IsWhole(request.ToString())) continue;
                    Requests.Enqueue(request.ToString());
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(_answer(request.ToString())));
                    request.Clear();
                }
            }
            catch (Exception gone) when (gone is IOException or ObjectDisposedException)
            {
                // The client has had enough.
            }
        }
    }
}
