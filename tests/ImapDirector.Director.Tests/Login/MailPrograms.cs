using System.Diagnostics;
using System.Globalization;
using MailKit.Net.Imap;
using MailKit.Security;

namespace ImapDirector.Director.Tests.Login;

/// <summary>What a client shows of itself.</summary>
/// <param name="Password">The password, or the token.</param>
/// <param name="Certificate">A file with a certificate and its key; <c>null</c> for none.</param>
internal sealed record ShownByClient(string Password, string? Certificate = null);

/// <summary>Programs and libraries that log in once.</summary>
/// <param name="director">Where.</param>
/// <param name="user">As whom.</param>
/// <param name="directory">Where files of theirs may be.</param>
internal sealed class MailPrograms(RunningDirector director, string user, string directory)
{
    private readonly string _plain = director.Server.ImapEndPoint!.Port.ToString(CultureInfo.InvariantCulture);
    private readonly int _tls = director.Server.ImapsEndPoint!.Port;

    /// <summary>Whether one of them is logged in.</summary>
    public Task<bool> LogsInAsync(string program, string mechanism, ShownByClient shown) => program switch
    {
        "MailKit" => MailKitAsync(mechanism, shown.Password),
        "curl" => RunAsync("curl", Curl(mechanism, shown)),
        "Python" => RunAsync("python3", "-c", Python(mechanism, shown)),
        "gsasl" => RunAsync("gsasl", Gsasl(_plain, mechanism, user, shown)),
        "mbsync" => MbsyncAsync(mechanism, shown.Password),
        _ => throw new ArgumentException($"{program} is not known.", nameof(program)),
    };

    /// <summary>How gsasl is told to; with STARTTLS where the mechanism needs TLS, or it is said.</summary>
    public static string[] Gsasl(string port, string mechanism, string user, ShownByClient shown, bool needsTls = false)
    {
        needsTls |= mechanism.EndsWith("-PLUS", StringComparison.Ordinal) || mechanism == "EXTERNAL";
        return ["--imap", "--connect", $"127.0.0.1:{port}", needsTls ? "--starttls" : "--no-starttls", "--x509-ca-file=", "-m", mechanism, "-a", user, "-z", mechanism is "PLAIN" or "EXTERNAL" ? "" : user,
            "-p", shown.Password, "--quiet", "--no-client-first", .. shown.Certificate is { } file ? (string[])[$"--x509-cert-file={file}", $"--x509-key-file={file}"] : []];
    }

    /// <summary>Runs a program.</summary>
    /// <returns>Whether it ended well.</returns>
    public static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        try
        {
            await process.WaitForExitAsync(limit.Token);
            await Task.WhenAll(output, error);
            return process.ExitCode == 0;
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    private string[] Curl(string mechanism, ShownByClient shown)
    {
        string[] credentials = mechanism switch
        {
            "OAUTHBEARER" or "XOAUTH2" => ["-u", $"{user}:", "--oauth2-bearer", shown.Password],
            "EXTERNAL" => ["-u", $"{user}:", .. shown.Certificate is { } file ? (string[])["--cert", file, "--key", file] : []],
            _ => ["-u", $"{user}:{shown.Password}"],
        };
        return ["-sk", "--url", $"imaps://127.0.0.1:{_tls}/", .. credentials, "--login-options", $"AUTH={mechanism}", "-X", "NOOP"];
    }

    private string Python(string mechanism, ShownByClient shown) => $$"""
        import imaplib, ssl
        user, password, certificate = '{{user}}', '{{shown.Password}}', '{{shown.Certificate}}'
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate)
        client = imaplib.IMAP4_SSL('127.0.0.1', {{_tls}}, ssl_context=context)
        answers = {
            'PLAIN': [f'\0{user}\0{password}'],
            'LOGIN': [user, password],
            'OAUTHBEARER': [f'n,a={user},\1auth=Bearer {password}\1\1', '\1'],
            'XOAUTH2': [f'user={user}\1auth=Bearer {password}\1\1', ''],
            'EXTERNAL': [''],
        }['{{mechanism}}']
        client.authenticate('{{mechanism}}', lambda challenge: answers.pop(0).encode())
        client.noop()
        """;

    private async Task<bool> MbsyncAsync(string mechanism, string password)
    {
        var (near, file, certificate) = (Path.Combine(directory, "near"), Path.Combine(directory, "mbsyncrc"), Path.Combine(directory, "server.pem"));
        System.IO.Directory.CreateDirectory(near);
        await File.WriteAllTextAsync(certificate, director.CertificatePem);
        await File.WriteAllTextAsync(file, $"""
            IMAPStore far
            Host 127.0.0.1
            Port {_tls}
            User {user}
            Pass "{password}"
            AuthMechs {mechanism}
            SSLType IMAPS
            CertificateFile {certificate}

            MaildirStore near
            Path {near}/
            Inbox {near}/INBOX

            Channel c
            Far :far:
            Near :near:
            Patterns *

            """);
        return await RunAsync("mbsync", "-c", file, "-l", "c");
    }

    private async Task<bool> MailKitAsync(string mechanism, string password)
    {
        using var client = new ImapClient { ServerCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
        await client.ConnectAsync("127.0.0.1", _tls, SecureSocketOptions.SslOnConnect);
        try
        {
            await client.AuthenticateAsync(mechanism switch
            {
                "PLAIN" => new SaslMechanismPlain(user, password),
                "LOGIN" => new SaslMechanismLogin(user, password),
                "SCRAM-SHA-1" => new SaslMechanismScramSha1(user, password),
                "SCRAM-SHA-1-PLUS" => new SaslMechanismScramSha1Plus(user, password),
                "SCRAM-SHA-256" => new SaslMechanismScramSha256(user, password),
                "SCRAM-SHA-256-PLUS" => new SaslMechanismScramSha256Plus(user, password),
                "OAUTHBEARER" => new SaslMechanismOAuthBearer(user, password),
                "XOAUTH2" => new SaslMechanismOAuth2(user, password),
                _ => throw new ArgumentException($"{mechanism} is not known.", nameof(mechanism)),
            });
            return client.IsAuthenticated;
        }
        catch (AuthenticationException)
        {
            return false;
        }
    }
}
