using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Operations.Api;
using ImapDirector.Standalone;

namespace ImapDirector.CommandLine;

/// <summary>Asks a director over its API. What it refuses ends the command with the reason and an exit code.</summary>
internal sealed class ApiClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    /// <summary>An answer begins within this time.</summary>
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    /// <summary>As above, where all users are looked at for it.</summary>
    public static readonly TimeSpan LongAnswerTimeout = TimeSpan.FromHours(1);

    private static readonly Option<string?> Config = new("--config", "-c") { Description = "A director's configuration: its Http says where to ask, its ApiTokenFile what to show.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> Data = new("--data") { Description = $"A stand-alone server's directory; \"{StandaloneCommand.DefaultData}\" when nothing else is given. The server must be running.", HelpName = "DIR", Recursive = true };
    private static readonly Option<string?> Api = new("--api") { Description = "Where to ask instead, such as http://127.0.0.1:1180 with --token-file, or https://director1.example.com:1181 with that or --certificate-file.", HelpName = "URL", Recursive = true };
    private static readonly Option<string?> TokenFile = new("--token-file") { Description = "The file with the token to show, for --api.", HelpName = "FILE", Recursive = true };

    private static readonly Option<string?> CertificateFile = new("--certificate-file") { Description = "An operator's certificate to show, PEM with its chain, for --api with https; with --key-file.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> KeyFile = new("--key-file") { Description = "The key of --certificate-file, PEM.", HelpName = "FILE", Recursive = true };
    private static readonly Option<string?> CaFile = new("--ca-file") { Description = "Who has signed the director's certificate, PEM, for --api with https; without it, whom the system trusts.", HelpName = "FILE", Recursive = true };

    private readonly HttpClient _client;

    private ApiClient(Uri address, string? token, SslClientAuthenticationOptions? tls = null)
    {
        // Whole lists may take a while; what does not even connect is away.
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = ConnectTimeout,
            SslOptions = OutgoingTls.For(host: null, caFile: null),
        };
        if (tls is not null) handler.SslOptions = tls;
        _client = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (Environment.UserName.All(char.IsAscii)) _client.DefaultRequestHeaders.TryAddWithoutValidation("X-Operator", Environment.UserName);
    }

    /// <summary>What says which director is asked.</summary>
    public static Option<string?>[] Sources => [Config, Data, Api, TokenFile, CertificateFile, KeyFile, CaFile];

    /// <summary>The option that names a director's configuration.</summary>
    public static string? ConfigOf(ParseResult result) => result.GetValue(Config);

    /// <summary>A command whose subcommands ask a director.</summary>
    public static Command Group(string name, string description, params Command[] commands)
    {
        var command = new Command(name, description);
        foreach (var option in Sources) command.Add(option);
        foreach (var one in commands) command.Add(one);
        return command;
    }

    /// <summary>A command that asks a director.</summary>
    /// <param name="name">The command's.</param>
    /// <param name="description">What it does.</param>
    /// <param name="symbols">Its arguments and options.</param>
    /// <param name="run">Does it, and gives the exit code.</param>
    public static Command Command(string name, string description, Symbol[] symbols, Func<ApiClient, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        }
        command.SetAction((result, cancellationToken) => TellRefusalAsync(result, async () =>
        {
            using var client = Of(result);
            return await run(client, result, cancellationToken);
        }));
        return command;
    }

    /// <summary>Asks, and gives what is answered.</summary>
    /// <exception cref="RefusedException">It was refused.</exception>
    public async Task<T> AskAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> answer, HttpContent? body, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        using var response = await SendAsync(method, path, body, patience ?? AnswerTimeout, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync(answer, cancellationToken) ?? throw Nonsense();
        }
        catch (JsonException)
        {
            throw Nonsense();
        }
    }

    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> answer, CancellationToken cancellationToken, TimeSpan? patience = null) => AskAsync(HttpMethod.Get, path, answer, null, cancellationToken, patience);

    /// <summary>Orders something that is only done.</summary>
    /// <exception cref="RefusedException">It was refused.</exception>
    public async Task OrderAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, body, AnswerTimeout, cancellationToken);
    }

    /// <summary>Asks, and hands over each line that is answered.</summary>
    /// <exception cref="RefusedException">It was refused, or ended early.</exception>
    public async Task ReadLinesAsync(HttpMethod method, string path, Action<string> onLine, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, null, LongAnswerTimeout, cancellationToken);
        try
        {
            using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (await lines.ReadLineAsync(cancellationToken) is { } line) onLine(line);
        }
        catch (Exception lost) when (lost is IOException or HttpRequestException)
        {
            throw new RefusedException(ExitCode.Unavailable, "The list ended early, since Redis or the director went away: it is not complete.");
        }
        catch (JsonException)
        {
            throw Nonsense();
        }
    }

    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type) => JsonContent.Create(value, type);

    /// <summary>A name as a part of a path. One that has to be escaped is a name of nothing, and the director could not tell it from another path.</summary>
    /// <exception cref="RefusedException">It is none.</exception>
    public static string Segment(string name) => name.Length is > 0 and <= 320 && name is not ("." or "..") && name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '@' or '+')
        ? name : throw new RefusedException(ExitCode.BadData, "The name cannot be used: write it with letters, digits, '.', '-' and '_', a user's as name@domain.");

    public void Dispose() => _client.Dispose();

    /// <summary>Runs a command, and tells what is refused.</summary>
    public static async Task<int> TellRefusalAsync(ParseResult result, Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (RefusedException refused)
        {
            await result.InvocationConfiguration.Error.WriteLineAsync($"imapdirector: {refused.Message}");
            return refused.ExitCode;
        }
    }

    private static ApiClient Of(ParseResult result)
    {
        var (config, data, api, token) = (result.GetValue(Config), result.GetValue(Data), result.GetValue(Api), result.GetValue(TokenFile));
        if (new object?[] { config, data, api }.Count(static given => given is not null) > 1) throw new ConfigurationException("Of --config, --data and --api more than one is given: leave the others out.");
        try
        {
            if (api is not null) return OfAddress(api, token, result.GetValue(CertificateFile), result.GetValue(KeyFile), result.GetValue(CaFile));
            if (token is not null || result.GetValue(CertificateFile) is not null || result.GetValue(KeyFile) is not null || result.GetValue(CaFile) is not null)
                throw new ConfigurationException("--token-file, --certificate-file, --key-file and --ca-file go with --api: give that too, or leave them out.");
            var (http, file) = config is not null ? DirectorSettings.ReadApi(SettingsSource.Load(config, [])) : StandaloneData.ReadApi(data ?? StandaloneCommand.DefaultData);
            var host = http.Address.Equals(IPAddress.Any) ? IPAddress.Loopback : http.Address.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : http.Address;
            return new ApiClient(new Uri($"http://{new IPEndPoint(host, http.Port)}"), ApiToken.Read(file));
        }
        catch (InvalidDataException unusable)
        {
            throw new ConfigurationException(unusable.Message);
        }
    }

    private static ApiClient OfAddress(string api, string? token, string? certificate, string? key, string? authorities)
    {
        if (!Uri.TryCreate(api, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")) throw new ConfigurationException("--api is no http address: write it as http://127.0.0.1:1180.");
        if (token is null && certificate is null) throw new ConfigurationException("--api has nothing to show: give --token-file, or --certificate-file and --key-file.");
        if (certificate is null != key is null) throw new ConfigurationException("--certificate-file and --key-file belong together: give both, or neither.");
        if (address.Scheme == "https") return new ApiClient(address, token is null ? null : ApiToken.Read(token), OperatorTls.Load(certificate, key, authorities));
        if (certificate is not null || authorities is not null) throw new ConfigurationException("--api is http, where no certificate is shown: write the director's Https:Address, as https://….");
        // The director would refuse it, but by then everybody on the way has read it.
        if (!IsHere(address)) throw new ConfigurationException("--api is http and another machine, so that the token would cross the network in the clear: come by https, or through SSH.");
        return new ApiClient(address, ApiToken.Read(token!));
    }

    private static bool IsHere(Uri address) => address.IsLoopback || (IPAddress.TryParse(address.DnsSafeHost, out var named)
        && NetworkInterface.GetAllNetworkInterfaces().Any(network => network.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(named))));

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        using var request = new HttpRequestMessage(method, "/api/v1" + path) { Content = body };
        HttpResponseMessage response;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        }
        catch (Exception away) when (away is HttpRequestException || (away is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new RefusedException(ExitCode.Unavailable, away.GetBaseException() is AuthenticationException
                ? $"{_client.BaseAddress} and this command do not trust each other's certificates: see --ca-file and --certificate-file, and event 4305 of the director."
                : $"{_client.BaseAddress} does not answer: see that the director runs.");
        }
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await RefusalOfAsync(response, cancellationToken);
    }

    private async Task<RefusedException> RefusalOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            if (response.Content.Headers.ContentType?.MediaType == ApiProblem.MediaType && await response.Content.ReadFromJsonAsync(ApiJson.Default.ApiProblem, cancellationToken) is { } problem)
                return new RefusedException(CodeOf(problem.Code), problem.Code == "not_found" ? $"{_client.BaseAddress} has no API: see that it is a director's, and that its ApiTokenFile is set." : problem.Detail);
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or HttpRequestException)
        {
            return Nonsense();
        }
        return Nonsense();
    }

    private RefusedException Nonsense() => new(ExitCode.Unavailable, $"{_client.BaseAddress} answers something that is no answer of a director's API.");

    private static int CodeOf(string code) => code switch
    {
        "invalid" or "too_large" => ExitCode.BadData,
        "no_such_node" or "no_such_pool" or "no_such_user" => ExitCode.Unknown,
        "exists" => ExitCode.Exists,
        "in_use" => ExitCode.InUse,
        "unauthorized" or "not_allowed" or "not_found" => ExitCode.Configuration,
        "fault" => ExitCode.Fault,
        _ => ExitCode.Unavailable,
    };
}

/// <summary>What was asked was refused.</summary>
internal sealed class RefusedException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}
