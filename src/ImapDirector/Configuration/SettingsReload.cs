using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace ImapDirector.Configuration;

/// <summary>Reads a running process's configuration again, and says what is different. What cannot be used leaves everything as it was.</summary>
/// <param name="load">Reads it from where it came from.</param>
/// <param name="apply">Checks it and goes on with it, as far as that can be done without a restart.</param>
/// <param name="atOnce">The keys that need no restart; of <c>Nodes</c> all that is below it.</param>
internal sealed partial class SettingsReload(Func<IConfiguration> load, Action<IConfiguration> apply, IReadOnlySet<string> atOnce)
{
    private readonly Lock _lock = new();
    private Dictionary<string, string> _known = Flatten(load());
    private string? _lastError;

    /// <summary>Reads it.</summary>
    /// <param name="isAsked">Whether somebody has asked for it: then files that settings name are read again too, and an error is told again.</param>
    /// <returns>A sentence for each setting that is different, and never a secret; empty when there is none.</returns>
    /// <exception cref="ConfigurationException">It cannot be used; what was read before stays. An error that has been told is told again only when asked for.</exception>
    public IReadOnlyList<string> Read(bool isAsked)
    {
        lock (_lock)
        {
            try
            {
                var configuration = load();
                var now = Flatten(configuration);
                var changes = Compare(_known, now);
                if (changes.Count > 0 || isAsked) apply(configuration);
                (_known, _lastError) = (now, null);
                return changes;
            }
            catch (ConfigurationException unusable) when (!isAsked && unusable.Message == _lastError)
            {
                return [];
            }
            catch (ConfigurationException unusable)
            {
                _lastError = unusable.Message;
                throw;
            }
        }
    }

    private List<string> Compare(Dictionary<string, string> before, Dictionary<string, string> now)
    {
        var changes = new List<string>();
        foreach (var key in before.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var (old, young) = (before.GetValueOrDefault(key), now.GetValueOrDefault(key));
            if (old == young) continue;
            var when = atOnce.Contains(key.Split(':')[0]) ? "" : ", from the next start on";
            changes.Add($"{key}: {Shown(key, old)} → {Shown(key, young)}{when}");
        }
        return changes;
    }

    // The nodes by their names: where they stand in the list says nothing.
    private static Dictionary<string, string> Flatten(IConfiguration configuration)
    {
        var flat = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in configuration.AsEnumerable())
        {
            if (value is null) continue;
            var parts = key.Split(':');
            if (parts is ["Nodes", var index, ..] && configuration[$"Nodes:{index}:Name"] is { Length: > 0 } name) parts[1] = name;
            flat[string.Join(':', parts)] = value;
        }
        return flat;
    }

    // A number, a time or a word out of a few gives nothing away; anything else might.
    private static string Shown(string key, string? value) => value switch
    {
        null => "unset",
        _ when key.Contains("Password", StringComparison.OrdinalIgnoreCase) || key.Contains("Secret", StringComparison.OrdinalIgnoreCase) => "(not shown)",
        _ when Harmless().IsMatch(value) => value,
        _ => "(not shown)",
    };

    [GeneratedRegex("^([0-9]{1,10}(ms|s|m|h|d)?|true|false|Trace|Debug|Information|Warning|Error|Critical|None|StartTls|Implicit|Master|Bundled|Generic)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Harmless();
}
