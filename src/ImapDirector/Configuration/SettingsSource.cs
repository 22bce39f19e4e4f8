using Microsoft.Extensions.Configuration;

namespace ImapDirector.Configuration;

/// <summary>Where settings come from: a JSON file (comments allowed), then <c>IMAPDIRECTOR__…</c> variables, then <c>--set KEY=VALUE</c>; the later wins.</summary>
internal static class SettingsSource
{
    private const string Prefix = "IMAPDIRECTOR__";

    /// <summary>The settings that may be in files of their own (<see cref="SettingsReader.Secret"/>), wherever they stand.</summary>
    public static readonly IReadOnlySet<string> Secrets = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "Redis", "MasterPassword", "LookupPassword", "HeaderValue", "ClientSecret", "PolicyPassword" };

    /// <exception cref="ConfigurationException">The file cannot be read, or a <c>--set</c> has no <c>=</c>.</exception>
    public static IConfiguration Load(string? file, IReadOnlyList<string> assignments)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            if (!File.Exists(file)) throw new ConfigurationException($"The configuration file \"{file}\" does not exist: name one with --config, such as config/director.json.");
            builder.AddJsonFile(Path.GetFullPath(file), optional: false, reloadOnChange: false);
        }
        builder.AddEnvironmentVariables(Prefix);
        builder.AddInMemoryCollection(assignments.Select(Split));
        try
        {
            return builder.Build();
        }
        catch (Exception unreadable) when (unreadable.GetBaseException() is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The configuration file \"{file}\" cannot be read ({unreadable.GetBaseException().GetType().Name}): name a file that this process may read.");
        }
        catch (InvalidDataException unreadable)
        {
            // The provider's own message may quote a line of the file, and the line may hold a password.
            var where = unreadable.GetBaseException() is System.Text.Json.JsonException { LineNumber: { } line } ? $" at line {line + 1}" : "";
            throw new ConfigurationException($"The configuration file \"{file}\" is no JSON object with each key once{where}: mend it there (comments are allowed).");
        }
    }

    // Redis may be without a password.
    private static bool IsSecret(string key, string value)
    {
        var name = key[(key.LastIndexOf(':') + 1)..];
        return Secrets.Contains(name) && (!name.Equals("Redis", StringComparison.OrdinalIgnoreCase) || value.Contains("password", StringComparison.OrdinalIgnoreCase));
    }

    private static KeyValuePair<string, string?> Split(string assignment)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        // What stands there may be a value, and a secret one: it is not shown.
        if (equals <= 0) throw new ConfigurationException("A --set has no \"=\": write it as KEY=VALUE, such as --set Imap=127.0.0.1:1143.");
        var key = assignment[..equals].Replace("__", ":", StringComparison.Ordinal);
        if (IsSecret(key, assignment[(equals + 1)..]))
        {
            throw new ConfigurationException($"--set would show {key} to every user of this machine, in the list of processes (the value is not shown here): write it into a file that only this program may read, "
                + $"and name that with --set {key}File=/etc/imapdirector/secret.");
        }
        return new KeyValuePair<string, string?>(key, assignment[(equals + 1)..]);
    }
}
