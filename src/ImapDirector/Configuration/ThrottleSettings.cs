using ImapDirector.Director;

namespace ImapDirector.Configuration;

/// <summary>What stands below <c>Throttle</c> in a director's configuration.</summary>
internal static class ThrottleSettings
{
    public static ThrottleOptions Read(SettingsReader settings)
    {
        var defaults = new ThrottleOptions();
        return new ThrottleOptions
        {
            Shared = settings.Flag("Shared", defaults.Shared),
            ExemptNetworks = settings.Networks("ExemptNetworks"),
            AddressFailures = settings.Number("AddressFailures", defaults.AddressFailures),
            UserFailures = settings.Number("UserFailures", defaults.UserFailures),
            FailuresPerMinute = settings.Number("FailuresPerMinute", defaults.FailuresPerMinute),
            PolicyUrl = settings.Value<Uri?>("PolicyUrl", null, static (string text, out Uri? url) => Uri.TryCreate(text, UriKind.Absolute, out url), "http://127.0.0.1:8084/"),
            PolicyPassword = settings.Secret("PolicyPassword") ?? defaults.PolicyPassword,
            PolicyCaFile = settings.Text("PolicyCaFile"),
            PolicyTimeout = settings.Time("PolicyTimeout", defaults.PolicyTimeout),
            PolicyFailOpen = settings.Flag("PolicyFailOpen", defaults.PolicyFailOpen),
        };
    }
}
