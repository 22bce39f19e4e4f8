using System.CommandLine;
using ImapDirector.Network.Tls;

namespace ImapDirector.CommandLine;

/// <summary><c>imapdirector health</c>: for container platforms, which want a program that says yes or no.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static Command Create()
    {
        var url = new Option<Uri>("--url")
        {
            Description = "What to ask.",
            HelpName = "URL",
            DefaultValueFactory = _ => new Uri("http://127.0.0.1:1180/readyz"),
            CustomParser = static result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https") return uri;
                result.AddError("--url is no http address: write it as http://127.0.0.1:1180/readyz.");
                return null;
            },
        };
        var command = new Command("health", "Ask a running process whether it is ready; the exit code is 0 when it is, 69 otherwise.") { url };
        command.SetAction(async (result, cancellationToken) =>
        {
            var (output, error) = (result.InvocationConfiguration.Output, result.InvocationConfiguration.Error);
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = OutgoingTls.For(host: null, caFile: null) }) { Timeout = Patience, MaxResponseContentBufferSize = 64 * 1024 };
            try
            {
                using var response = await client.GetAsync(result.GetValue(url), cancellationToken);
                await output.WriteLineAsync((await response.Content.ReadAsStringAsync(cancellationToken)).TrimEnd());
                return response.IsSuccessStatusCode ? ExitCode.Ok : ExitCode.Unavailable;
            }
            catch (Exception away) when (away is HttpRequestException or TaskCanceledException)
            {
                await error.WriteLineAsync($"imapdirector: {result.GetValue(url)} does not answer.");
                return ExitCode.Unavailable;
            }
        });
        return command;
    }
}
